// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { erasedBodies } from "../../durability/index.js";
import { importCar } from "../../storage/index.js";
import { ExitCode, type Context } from "../context.js";
import { CountProgress } from "../count-progress.js";
import { openMember } from "../open-member.js";
import { expectReadable } from "../private-file.js";

/** Bytes read at a time: half a block. */
const PIECE_BYTES = 524_288;

export async function run(context: Context, _: object, [file = ""]: string[]): Promise<number> {
  const signal = context.io.interruption();
  await expectReadable(file);
  await using chartseal = await openMember(context, { chain: "unused" });
  const { store, journal, vault } = chartseal;
  const erased = erasedBodies(journal, vault);
  using progress = new CountProgress(context, "bodies stored");
  let stored = 0;
  const result = await importCar(store, createReadStream(file, { highWaterMark: PIECE_BYTES }), {
    leaveOut: (cid) => erased.has(cid),
    onBody: () => progress.update(++stored),
    signal,
  });
  const { bodies, bytes, leftOut, missing } = result;
  const lines = [
    `Stored ${bodies} bodies, ${bytes} bytes.`,
    leftOut === 0 ? "" : `Left out ${leftOut} bodies of erased entries.`,
    missing === 0
      ? ""
      : `The file lacks ${missing} of its bodies: it was cut short, or its store lacked them.`,
  ];
  context.print({ ...result, file }, lines.filter((line) => line !== "").join("\n"));
  return missing === 0 ? ExitCode.DONE : ExitCode.PARTLY;
}

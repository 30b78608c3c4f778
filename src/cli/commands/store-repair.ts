// SPDX-License-Identifier: Apache-2.0
import { erasedBodies, repairReplicas, type RepairResult } from "../../durability/index.js";
import { ChartsealError } from "../../errors.js";
import { printable } from "../../printable.js";
import { namedBodies, type Journal } from "../../records/index.js";
import { ReplicatedStore } from "../../storage/index.js";
import { ExitCode, type Context } from "../context.js";
import { CountProgress } from "../count-progress.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";

export async function run(context: Context, { verify = false }: { verify?: boolean }): Promise<number> {
  const signal = context.io.interruption();
  await using chartseal = await openMember(context, { chain: "unused" });
  const { store, journal, vault } = chartseal;
  if (!(store instanceof ReplicatedStore)) {
    throw new ChartsealError("ERR_USAGE", "the store has no replicas to copy from", {
      hint: "`chartseal store import` takes bodies from a CAR file that was exported before",
    });
  }
  const erased = erasedBodies(journal, vault);
  using progress = new CountProgress(context, "bodies checked");
  const result = await repairReplicas(store, {
    verify,
    signal,
    leaveOut: erased,
    expected: expectedBodies(journal, erased),
    onProgress: ({ checked }) => progress.update(checked),
  });
  const lost = indicesOf(journal, new Set(result.lost));
  context.print({ ...result, lost }, textOf(result, lost));
  if (lost.length > 0) return ExitCode.FAILED;
  const failed = result.replicas.some((replica) => replica.failed > 0) || result.unreachable.length > 0;
  return failed ? ExitCode.PARTLY : ExitCode.DONE;
}

interface Lost {
  cid: string;
  /** Of an entry of this member's log. */
  index?: number;
}

function* expectedBodies(journal: Journal, erased: ReadonlySet<string>): Generator<string> {
  for (const { cid } of namedBodies(journal.database, journal.rows)) if (!erased.has(cid)) yield cid;
}

function indicesOf(journal: Journal, lost: ReadonlySet<string>): Lost[] {
  if (lost.size === 0) return [];
  const found = new Map<string, Lost>([...lost].map((cid) => [cid, { cid }]));
  for (const { cid, logIndex } of namedBodies(journal.database, journal.rows)) {
    if (lost.has(cid) && logIndex !== undefined) found.set(cid, { cid, index: logIndex });
  }
  return [...found.values()];
}

function textOf({ checked, replicas, unreachable }: RepairResult, lost: readonly Lost[]): string {
  const rows = replicas.map(({ name, repaired, bytes, failed }) => {
    return [printable(name), String(repaired), String(bytes), String(failed)];
  });
  return [
    `Checked ${checked} bodies.`,
    table(["REPLICA", "COPIED", "BYTES", "FAILED"], rows),
    ...unreachable.map(
      ({ name, error }) => `${printable(name)} does not answer: ${printable(error.message)}`,
    ),
    ...lost.map(({ cid, index }) => {
      return `Lost: ${cid}${index === undefined ? "" : `, the body of entry ${index}`}`;
    }),
  ].join("\n");
}

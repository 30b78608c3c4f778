// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import { erasedBodies, namedBodies, repairReplicas, type RepairResult } from "../../durability/index.js";
import { ChartsealError } from "../../errors.js";
import { printable } from "../../printable.js";
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
  using progress = new CountProgress(context, "bodies checked");
  const result = await repairReplicas(store, {
    verify,
    signal,
    leaveOut: erasedBodies(journal, vault),
    expected: expectedBodies(chartseal),
    onProgress: ({ checked }) => progress.update(checked),
  });
  const lost = indicesOf(chartseal, new Set(result.lost));
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

function* expectedBodies({ journal, vault }: Chartseal): Generator<string> {
  for (const { cid, erased } of namedBodies(journal, vault)) if (!erased) yield cid;
  for (const { manifestCid } of journal.batches()) yield manifestCid;
}

function indicesOf({ journal, vault }: Chartseal, lost: ReadonlySet<string>): Lost[] {
  if (lost.size === 0) return [];
  const indices = new Map<string, number | undefined>();
  for (const { cid, index } of namedBodies(journal, vault)) if (lost.has(cid)) indices.set(cid, index);
  return [...lost].map((cid) => {
    const index = indices.get(cid);
    return { cid, ...(index === undefined ? {} : { index }) };
  });
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

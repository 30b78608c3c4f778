// SPDX-License-Identifier: Apache-2.0
import { retentionEnded } from "../../lifecycle/index.js";
import { dayOfNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";

export async function run(context: Context): Promise<void> {
  await using chartseal = await openMember(context);
  const { memberId, chain, vault, journal, config } = chartseal;
  const entries = await Array.fromAsync(
    retentionEnded({ memberId, chain, vault, journal }, config.retention),
    (entry) => ({
      ...entry,
      recorded: dayOfNumber(entry.recordedDay),
      keptUntil: dayOfNumber(entry.keptUntilDay),
    }),
  );
  const rows = entries.map(({ index, patientId, recorded, keptUntil, resourceType, held }) => [
    ...[index, patientId, recorded, keptUntil, resourceType],
    held ? "held" : "may be erased",
  ]);
  const text =
    rows.length === 0
      ? "No record's retention is over."
      : table(["ENTRY", "PATIENT", "RECORDED", "KEPT UNTIL", "TYPE", "NOW"], rows);
  context.print({ entries }, text);
}

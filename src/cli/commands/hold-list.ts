// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";

export async function run(context: Context): Promise<void> {
  await using chartseal = await openMember(context);
  const held = await chartseal.holds().list();
  const rows = held.map(({ index, patientId, until, ended }) => [
    index,
    patientId,
    `${new Date(until * 1_000).toISOString()}${ended ? " (ended)" : ""}`,
  ]);
  context.print(
    { held },
    held.length === 0 ? "Nothing is on hold." : table(["ENTRY", "PATIENT", "UNTIL"], rows),
  );
}

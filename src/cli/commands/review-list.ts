// SPDX-License-Identifier: Apache-2.0
import type { EmergencyWindow } from "../../access/index.js";
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";

export async function run(context: Context, values: { patient?: string; all?: boolean }): Promise<void> {
  const patient = values.patient === undefined ? undefined : hashArgument(values.patient, "--patient");
  await using chartseal = await openMember(context, { role: "reviewer" });
  const { memberId } = chartseal;
  const found = await chartseal
    .emergencies("reviewer")
    .list(patient === undefined ? { member: memberId } : { patient, member: memberId });
  const windows = found
    .map((window) => ({ ...window, due: dueOf(window, memberId) }))
    .filter(({ due }) => values.all === true || due !== "nothing");
  const rows = windows.map((window) => [
    window.windowId,
    timeOf(window.openedAt),
    window.member,
    window.custodian,
    window.overdue ? "OVERDUE" : (window.verdict ?? (window.justified ? "justified" : "open")),
    window.due,
  ]);
  const text = table(["WINDOW", "OPENED", "READER", "CUSTODIAN", "STATE", "YOUR PART"], rows);
  context.print({ windows }, rows.length === 0 ? "No emergency waits for this member." : text);
}

/** What this member still owes: the reader's member justifies, the custodian reviews. */
function dueOf(window: EmergencyWindow, memberId: number): string {
  if (window.member === memberId && !window.justified) return `justify by ${timeOf(window.justifyBy)}`;
  if (window.custodian === memberId && window.verdict === undefined)
    return `decide by ${timeOf(window.reviewBy)}`;
  return "nothing";
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

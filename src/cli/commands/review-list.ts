// SPDX-License-Identifier: Apache-2.0
import { dutiesOf, type EmergencyWindow } from "../../access/index.js";
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";

const NOTHING = "nothing";

export async function run(context: Context, values: { patient?: string; all?: boolean }): Promise<void> {
  const patient = values.patient === undefined ? undefined : hashArgument(values.patient, "--patient");
  await using chartseal = await openMember(context, { role: "reviewer" });
  const { memberId } = chartseal;
  const found = await chartseal
    .emergencies("reviewer")
    .list(patient === undefined ? { member: memberId } : { patient, member: memberId });
  const windows = found
    .map((window) => ({ ...window, due: dueOf(window, memberId) }))
    .filter(({ due }) => values.all === true || due !== NOTHING);
  const rows = windows.map((window) => [
    window.windowId,
    timeOf(window.openedAt),
    window.member,
    window.custodian,
    stateOf(window),
    window.due,
  ]);
  const text = table(["WINDOW", "OPENED", "READER", "CUSTODIAN", "STATE", "YOUR PART"], rows);
  context.print({ windows }, rows.length === 0 ? "No emergency waits for this member." : text);
}

/** Filed late, overdue, and how far its account is. */
function stateOf(window: EmergencyWindow): string {
  const { late, overdue, justificationOverdue, reviewOverdue, justified, verdict } = window;
  return [
    verdict ?? (justified ? "justified" : "open"),
    ...(late ? ["LATE"] : []),
    ...(overdue || justificationOverdue || reviewOverdue ? ["OVERDUE"] : []),
  ].join(" ");
}

/** What this member's officers still owe, or may take over. */
function dueOf(window: EmergencyWindow, memberId: number): string {
  const duties = dutiesOf(window, memberId).map(({ what, by, overdue }) =>
    what === "flag" ? "flag as overdue" : `${what} by ${timeOf(by)}${overdue ? " (overdue)" : ""}`,
  );
  return duties.length === 0 ? NOTHING : duties.join(", ");
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

// SPDX-License-Identifier: Apache-2.0
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(
  context: Context,
  _values: Record<string, never>,
  [window = ""]: string[],
): Promise<void> {
  const windowId = hashArgument(window, "<window>");
  await using chartseal = await openMember(context, { role: "reviewer" });
  await chartseal.emergencies("reviewer").flagOverdue(windowId);
  context.print({ windowId }, `Flagged ${windowId}: its two persons break no glass until it is justified.`);
}

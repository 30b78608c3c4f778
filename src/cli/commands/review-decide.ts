// SPDX-License-Identifier: Apache-2.0
import type { EmergencyVerdict } from "../../access/index.js";
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { keepStatement, statementText } from "../statement.js";

export async function run(
  context: Context,
  values: { verdict: EmergencyVerdict; statementFile: string },
  [window = ""]: string[],
): Promise<void> {
  const windowId = hashArgument(window, "<window>");
  const { verdict } = values;
  const text = await statementText(values.statementFile, "--statement-file");
  await using chartseal = await openMember(context, { role: "reviewer" });
  const statement = await chartseal.emergencies("reviewer").review(windowId, verdict, text);
  keepStatement(chartseal.vault, windowId, statement, text);
  context.print({ windowId, verdict, statement }, `Reviewed ${windowId}: ${verdict}.`);
}

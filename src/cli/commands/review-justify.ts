// SPDX-License-Identifier: Apache-2.0
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { keepStatement, statementText } from "../statement.js";

export async function run(
  context: Context,
  values: { statementFile: string },
  [window = ""]: string[],
): Promise<void> {
  const windowId = hashArgument(window, "<window>");
  const text = await statementText(values.statementFile, "--statement-file");
  await using chartseal = await openMember(context, { role: "reviewer" });
  const statement = await chartseal.emergencies("reviewer").justify(windowId, text);
  keepStatement(chartseal.vault, windowId, statement, text);
  context.print({ windowId, statement }, `Justified ${windowId}. The statement is kept in the vault.`);
}

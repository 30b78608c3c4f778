// SPDX-License-Identifier: Apache-2.0
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, _values: unknown, [text = ""]: string[]): Promise<void> {
  const index = wholeNumber(text, "<index>", 1);
  await using chartseal = await openMember(context, { role: "operator" });
  await chartseal.retract(index);
  context.print({ index, status: "RETRACTED" }, `Entry ${index} is retracted: readers are refused it.`);
}

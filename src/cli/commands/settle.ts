// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { settleEvent } from "../../ingest/index.js";
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, _values: unknown, [text = ""]: string[]): Promise<void> {
  const item = wholeNumber(text, "<item>", 1);
  await using chartseal = await openMember(context, { chain: "unused" });
  if (!settleEvent(chartseal.journal, item)) {
    throw new ChartsealError("ERR_USAGE", `nothing waits to follow of item ${item}`, {
      values: { item },
      hint: "`chartseal status --list` numbers the items of which something follows",
    });
  }
  context.print({ item, settled: true }, `Nothing more follows of item ${item}.`);
}

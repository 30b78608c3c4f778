// SPDX-License-Identifier: Apache-2.0
import { dateArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, values: { since?: string }): Promise<void> {
  const from = values.since === undefined ? undefined : dateArgument(values.since, "--since");
  await using chartseal = await openMember(context, { role: "admin" });
  const since = from ?? new Date((await chartseal.chain.time()) * 1000);
  await chartseal.members.withdrawKey(chartseal.writer("admin"), chartseal.memberId, since);
  const answer = { memberId: chartseal.memberId, since: since.toISOString() };
  context.print(
    answer,
    `Withdrawn, as of ${answer.since}. Publish the next key: chartseal member publish-key`,
  );
}

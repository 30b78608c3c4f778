// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(context: Context): Promise<void> {
  await using chartseal = await openMember(context, { role: "admin" });
  const { memberId, members, vault } = chartseal;
  const keyEpoch = await members.publishKey(chartseal.writer("admin"), memberId, vault);
  context.print({ memberId, keyEpoch }, `Published encryption key epoch ${keyEpoch}.`);
}

// SPDX-License-Identifier: Apache-2.0
import { hashArgument, wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(
  context: Context,
  values: { with: string },
  [person = ""]: string[],
): Promise<void> {
  const personId = hashArgument(person, "<personId>");
  const memberId = wholeNumber(values.with, "--with", 1);
  await using chartseal = await openMember(context, { role: "admin" });
  await chartseal.members.sharePerson(chartseal.writer("admin"), personId, memberId);
  context.print({ personId, memberId }, `Member ${memberId} may enrol ${personId}, too.`);
}

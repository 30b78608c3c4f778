// SPDX-License-Identifier: Apache-2.0
import { addressArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, values: { admin: string; name: string }): Promise<void> {
  const admin = addressArgument(values.admin, "--admin");
  await using governance = await openMember(context, { role: "admin" });
  const memberId = await governance.members.admit(governance.writer("admin"), admin, values.name);
  context.print(
    { memberId },
    `Admitted as member ${memberId}. Its admin now runs \`chartseal member join\`.`,
  );
}

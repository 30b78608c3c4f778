// SPDX-License-Identifier: Apache-2.0
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, _values: unknown, [id = ""]: string[]): Promise<void> {
  const memberId = wholeNumber(id, "<id>", 1);
  await using governance = await openMember(context, { role: "admin" });
  await governance.members.remove(governance.writer("admin"), memberId);
  context.print({ memberId, removed: true }, `Member ${memberId} is removed; its records stay provable.`);
}

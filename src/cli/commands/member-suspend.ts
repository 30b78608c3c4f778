// SPDX-License-Identifier: Apache-2.0
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(
  context: Context,
  values: { reading?: boolean; writing?: boolean },
  [id = ""]: string[],
): Promise<void> {
  const memberId = wholeNumber(id, "<id>", 1);
  const suspended: ("READING" | "WRITING")[] = [];
  if (values.reading === true) suspended.push("READING");
  if (values.writing === true) suspended.push("WRITING");
  await using governance = await openMember(context, { role: "admin" });
  await governance.members.setSuspension(governance.writer("admin"), memberId, suspended);
  const text =
    suspended.length === 0
      ? `Member ${memberId} is no longer suspended.`
      : `Member ${memberId} is suspended from ${suspended.join(" and ").toLowerCase()}.`;
  context.print({ memberId, suspension: suspended }, text);
}

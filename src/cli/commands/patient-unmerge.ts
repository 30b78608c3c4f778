// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(context: Context, _values: unknown, [text = ""]: string[]): Promise<void> {
  await using chartseal = await openMember(context, { chain: "unused" });
  const { vault } = chartseal;
  const duplicate = patientArgument(vault, text);
  vault.merges.unmerge(duplicate);
  context.print({ duplicate }, `${duplicate} is a patient of its own again.`);
  context.note(
    "Records that came in between stay where they are: retract and refile those that belong to it.",
  );
}

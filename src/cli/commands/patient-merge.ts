// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

export async function run(
  context: Context,
  _values: unknown,
  [one = "", other = ""]: string[],
): Promise<void> {
  await using chartseal = await openMember(context, { chain: "unused" });
  const { vault, journal } = chartseal;
  const [duplicate, into] = [patientArgument(vault, one), patientArgument(vault, other)];
  vault.merges.merge(duplicate, into);
  const records = journal.itemsOfPatient(duplicate).length;
  context.print(
    { duplicate, into, records },
    `Merged ${duplicate} into ${into}. ${records} entries stay under the duplicate.`,
  );
  context.note(
    "Grants and directives of the one do not hold for the other: ask the patient to sign for both.",
  );
}

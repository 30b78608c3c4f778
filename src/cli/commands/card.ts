// SPDX-License-Identifier: Apache-2.0
import { cardBlocks, cardSvg, cardText } from "../../access/index.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";
import { writeNew } from "../private-file.js";

export async function run(
  context: Context,
  values: { out?: string },
  [patientText]: readonly string[],
): Promise<void> {
  await using chartseal = await openMember(context, { chain: "unused" });
  const { patientId: patient } = chartseal.vault.patient(patientArgument(chartseal.vault, patientText!));
  const custodian = chartseal.memberId;
  const text = cardText(chartseal.chain.deployment, { patient, custodian });
  if (values.out !== undefined) await writeNew(values.out, cardSvg(text));
  context.print(
    { patient, custodian, card: text, ...(values.out === undefined ? {} : { svg: values.out }) },
    [cardBlocks(text), text, ...(values.out === undefined ? [] : [`Written to ${values.out}.`])].join("\n"),
  );
}

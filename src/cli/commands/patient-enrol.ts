// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { keyFileSigner } from "../key-file.js";
import { openMember } from "../open-member.js";
import { identifierArgument } from "../patient-argument.js";

export async function run(
  context: Context,
  values: { identifier: string[]; label?: string; signerKey?: string },
): Promise<void> {
  const identifiers = values.identifier.map(identifierArgument);
  const signer = values.signerKey === undefined ? undefined : await keyFileSigner(values.signerKey);
  await using chartseal = await openMember(context, { role: "operator" });
  const patientId = await chartseal.patients.enrol({
    identifiers,
    ...(values.label === undefined ? {} : { label: values.label }),
    ...(signer === undefined ? {} : { signer }),
  });
  context.print({ patientId }, `Enrolled ${patientId}`);
}

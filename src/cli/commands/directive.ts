// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import type { Chartseal } from "../../chartseal.js";
import type { DirectiveRequest, TypedData } from "../../consent/index.js";
import type { Hex } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { handOut } from "../act-file.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";
import { expectOneDevice, patientSignature, type DeviceValues } from "../patient-signature.js";
import { readText } from "../private-file.js";

interface Values extends DeviceValues {
  patient: string;
  denyAll?: boolean;
  denyEmergency?: boolean;
  deny?: string[];
  document?: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  expectOneDevice(values);
  if ((values.document === undefined) !== (values.signature === undefined)) {
    throw new ChartsealError("ERR_USAGE", "--document and --signature go together", {
      hint: "the document, as --typed-data printed it, holds the deadline and the number that were signed",
    });
  }
  await using chartseal = await openMember(context, { role: "operator" });
  const patientId = patientArgument(chartseal.vault, values.patient);
  if (values.act !== undefined) {
    const file = await chartseal.acts().directive(requestOf(chartseal, patientId, values));
    return await handOut(context, values.act, file, chartseal.chain.deployment);
  }
  const typedData =
    values.document === undefined
      ? await chartseal.consent.directive(requestOf(chartseal, patientId, values))
      : await readDocument(chartseal, values.document, patientId);
  const answer = { patientId, typedData };
  if (values.typedData === true) return context.print(answer, JSON.stringify(answer, null, 2));
  await chartseal.consent.setDirective(typedData, await patientSignature(values, typedData));
  const { denyAll, denyEmergency } = typedData.message;
  context.print(
    { patientId, denyAll, denyEmergency, denied: values.deny ?? [] },
    `Directive set for ${patientId}`,
  );
}

function requestOf({ vault }: Chartseal, patient: Hex, values: Values): DirectiveRequest {
  return {
    patient,
    denyAll: values.denyAll === true,
    denyEmergency: values.denyEmergency === true,
    deniedCompartments: (values.deny ?? []).map((name) => vault.compartmentOf(patient, name)),
  };
}

const messageSchema = z.object({
  patientId: z.string(),
  denyAll: z.boolean(),
  denyEmergency: z.boolean(),
  deniedCompartments: z.string().regex(/^\d{1,20}$/),
  deadline: z.int().nonnegative(),
});

/** The signed message, under the domain and types of this deployment. */
async function readDocument({ consent }: Chartseal, path: string, patient: Hex): Promise<TypedData> {
  let json: { typedData?: { message?: unknown } } | null;
  try {
    json = JSON.parse(await readText(path)) as typeof json;
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    throw new ChartsealError("ERR_USAGE", `${path} is not JSON`, { values: { path } });
  }
  const parsed = messageSchema.safeParse(json?.typedData?.message);
  if (!parsed.success || parsed.data.patientId !== patient) {
    throw new ChartsealError("ERR_USAGE", `${path} is no directive of this patient`, {
      values: { path },
      hint: "`chartseal directive ... --typed-data --json > FILE` writes one",
    });
  }
  return { ...(await consent.directive({ patient })), message: parsed.data };
}

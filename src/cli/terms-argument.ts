// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../chartseal.js";
import type { TermsRequest } from "../consent/index.js";
import { dateArgument, endArgument } from "./arguments.js";
import { memberArgument } from "./member-argument.js";
import { patientArgument } from "./patient-argument.js";

/** What a grant, a form and an order say alike. */
export interface TermsValues {
  patient: string;
  to: string;
  until: string;
  compartment?: string[];
  recordedFrom?: string;
  recordedTo?: string;
}

export async function termsArguments(
  chartseal: Chartseal,
  values: TermsValues,
): Promise<Omit<TermsRequest, "purposes">> {
  const { vault } = chartseal;
  const patient = patientArgument(vault, values.patient);
  const { recordedFrom, recordedTo, compartment } = values;
  return {
    patient,
    grantee: await memberArgument(chartseal, values.to),
    notAfter: endArgument(values.until, "--until"),
    ...(compartment === undefined
      ? {}
      : { compartments: compartment.map((name) => vault.compartmentOf(patient, name)) }),
    ...(recordedFrom === undefined ? {} : { recordedFrom: dateArgument(recordedFrom, "--recorded-from") }),
    ...(recordedTo === undefined ? {} : { recordedTo: dateArgument(recordedTo, "--recorded-to") }),
  };
}

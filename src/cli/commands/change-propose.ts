// SPDX-License-Identifier: Apache-2.0
import type { ChangeRequest } from "../../acts/index.js";
import type { Hex } from "../../crypto/index.js";
import { handOut } from "../act-file.js";
import { endArgument, wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { keyArgument } from "../key-argument.js";
import { fileReason, readScan } from "../paper.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

interface Values {
  patient: string;
  kind: ChangeRequest["change"];
  key?: string[];
  threshold?: string;
  until?: string;
  document?: string;
  byGuardians?: boolean;
  act: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  const scan = values.document === undefined ? undefined : await readScan(values.document);
  await using chartseal = await openMember(context);
  const { deployment } = chartseal.chain;
  const patientId = patientArgument(chartseal.vault, values.patient);
  const asked = await requestOf(values, deployment.passkeys);
  const request =
    scan === undefined ? asked : { ...asked, document: await fileReason(chartseal, patientId, scan) };
  const by = values.byGuardians === true ? "guardians" : "custodian";
  await handOut(context, values.act, await chartseal.acts().change(patientId, request, by), deployment);
}

async function requestOf(
  { kind, key = [], threshold, until }: Values,
  verifier: Hex,
): Promise<ChangeRequest> {
  const keys: Hex[] = [];
  for (const text of key) keys.push(await keyArgument(text, "--key", verifier));
  return {
    change: kind,
    keys,
    ...(threshold === undefined ? {} : { threshold: wholeNumber(threshold, "--threshold") }),
    ...(until === undefined ? {} : { until: endArgument(until, "--until") }),
  };
}

// SPDX-License-Identifier: Apache-2.0
import { ownRequestTerms, type OwnRequestOptions } from "../access/index.js";
import { signedAct, type ActFile, type ActOf } from "../acts/index.js";
import type { Chartseal } from "../chartseal.js";
import { bitmapOf, dayNumber } from "../consent/index.js";
import { keyDigest, type Hex, type MemberKey } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import { dateArgument } from "./arguments.js";
import type { Context } from "./context.js";
import { patientArgument } from "./patient-argument.js";
import { makeRecordFolder, writeOpened } from "./write-opened.js";

/** Bytes: a member key's secret, before the public key. */
const SECRET_BYTES = 32;

export interface OwnRequestValues {
  patient: string;
  compartment?: string[];
  recordedFrom?: string;
  recordedTo?: string;
}

export function ownRequestOptions({ vault }: Chartseal, values: OwnRequestValues): OwnRequestOptions {
  const patient = patientArgument(vault, values.patient);
  const { compartment, recordedFrom, recordedTo } = values;
  const day = (text: string, option: string) => dayNumber(dateArgument(text, option), option);
  return {
    patient,
    ...(compartment === undefined
      ? {}
      : { compartments: bitmapOf(compartment.map((name) => vault.compartmentOf(patient, name))) }),
    ...(recordedFrom === undefined ? {} : { recordedFrom: day(recordedFrom, "--recorded-from") }),
    ...(recordedTo === undefined ? {} : { recordedTo: day(recordedTo, "--recorded-to") }),
  };
}

/** Keeps the key that opens the answer until the request was signed: the act that goes from hand to hand has none. */
export function keepKey(vault: Vault, { publicKey, secretKey }: MemberKey): void {
  vault.setSecret(settingOf(keyDigest(publicKey)), Buffer.concat([secretKey, publicKey]));
}

/** Sends a request that is signed, and writes what the custodian gives for it. */
export async function openOwn(
  context: Context,
  chartseal: Chartseal,
  file: ActFile,
  out: string,
): Promise<number> {
  const signal = context.io.interruption();
  const { chain, vault } = chartseal;
  const { kind: _, ...fields } = file.act as ActOf<"own-request">;
  const terms = ownRequestTerms(fields);
  const key = keptKey(vault, terms.recipientKey);
  const relay = chartseal.writer("operator");
  const { signature } = await signedAct(file, chain, relay.address);
  await makeRecordFolder(out); // before the access is on record
  const { custodian } = await chartseal.acts().standing(terms.patientId);
  const own = await chartseal.ownRecords(custodian);
  const opened = await own.request({ terms, key }, signature, relay, { signal });
  const code = await writeOpened(context, opened, out, { signal });
  vault.setSecret(settingOf(terms.recipientKey), Buffer.alloc(0));
  return code;
}

function keptKey(vault: Vault, recipientKey: Hex): MemberKey {
  const pair = vault.getSecret(settingOf(recipientKey));
  if (pair !== undefined && pair.length > 0) {
    return { secretKey: pair.slice(0, SECRET_BYTES), publicKey: pair.slice(SECRET_BYTES) };
  }
  throw new ChartsealError("ERR_KEY_MISSING", "this vault has no key for the answer to this request", {
    values: { recipientKey },
    hint: "relay it where `chartseal patient request` prepared it; what was opened once must be requested anew",
  });
}

function settingOf(recipientKey: Hex): string {
  return `own-request/${recipientKey}`;
}

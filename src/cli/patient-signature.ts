// SPDX-License-Identifier: Apache-2.0
import { signAs, type TypedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { hexArgument } from "./arguments.js";
import { keyFileSigner } from "./key-file.js";

/** The three ways to a patient's signature. */
export interface DeviceValues {
  signerKey?: string;
  typedData?: boolean;
  signature?: string;
}

/** Exactly one of the three. @throws ERR_USAGE */
export function expectOneDevice(values: DeviceValues): void {
  const given = [values.signerKey, values.typedData, values.signature].filter((value) => value !== undefined);
  if (given.length === 1) return;
  throw new ChartsealError("ERR_USAGE", "give one of --signer-key, --typed-data, --signature", {
    hint: "--signer-key signs here; with --typed-data the patient's own device signs, --signature relays that",
  });
}

/** The signature over `data`: made with the key file, or as it was given. */
export async function patientSignature(values: DeviceValues, data: TypedData): Promise<Hex> {
  if (values.signature !== undefined) return hexArgument(values.signature, "--signature");
  return await signAs(await keyFileSigner(values.signerKey!), data);
}

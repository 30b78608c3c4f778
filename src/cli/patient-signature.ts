// SPDX-License-Identifier: Apache-2.0
import { signAs, type TypedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { hexArgument } from "./arguments.js";
import { keyArgument } from "./key-argument.js";
import { keyFileSigner } from "./key-file.js";

/** The four ways to the signature of who decides for a patient. */
export interface DeviceValues {
  act?: string;
  delegate?: string;
  signerKey?: string;
  typedData?: boolean;
  signature?: string;
}

/** Exactly one of the four. @throws ERR_USAGE */
export function expectOneDevice(values: DeviceValues): void {
  const { signerKey, typedData, signature, act, delegate } = values;
  const given = [signerKey, typedData, signature, act].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new ChartsealError("ERR_USAGE", "give one of --signer-key, --typed-data, --signature, --act", {
      hint: "--signer-key signs here; with --typed-data the patient's own device signs, --signature relays that; --act is for guardians, delegates and passkeys",
    });
  }
  if (delegate !== undefined && act === undefined) {
    throw new ChartsealError("ERR_USAGE", "--delegate goes with --act");
  }
}

/** Whose consent an act is: who signs for the patient, or his delegate. @throws ERR_USAGE, ERR_KEY_INVALID */
export async function onBehalf({ delegate }: DeviceValues, verifier: Hex): Promise<{ delegate?: Hex }> {
  return delegate === undefined ? {} : { delegate: await keyArgument(delegate, "--delegate", verifier) };
}

/** The signature over `data`: made with the key file, or as it was given. */
export async function patientSignature(values: DeviceValues, data: TypedData): Promise<Hex> {
  if (values.signature !== undefined) return hexArgument(values.signature, "--signature");
  return await signAs(await keyFileSigner(values.signerKey!), data);
}

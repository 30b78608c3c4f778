// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";

/** HL7 v3 ActReason codes in the order of their numbers on chain (Purposes.sol). */
export const PURPOSES = [
  "TREAT",
  "ETREAT",
  "CAREMGT",
  "HPAYMT",
  "HOPERAT",
  "HRESCH",
  "PUBHLTH",
  "PATRQT",
  "HLEGAL",
  "BTG",
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** @throws ERR_USAGE for a code that is not one of PURPOSES */
export function purposeNumber(code: string): number {
  const number = PURPOSES.indexOf(code as Purpose);
  if (number >= 0) return number;
  throw new ChartsealError("ERR_USAGE", `${code} is not a purpose of use`, {
    values: { purpose: code },
    hint: `one of ${PURPOSES.join(", ")}`,
  });
}

export function purposeCode(number: number): Purpose {
  const code = PURPOSES[number];
  if (code === undefined) throw new ChartsealError("ERR_CHAIN_MISMATCH", `unknown purpose number ${number}`);
  return code;
}

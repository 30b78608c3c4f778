// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { dataSlice, concat, getBytes } from "ethers";

/** A call as it would be sent. */
export interface RawCall {
  from: HardhatEthersSigner;
  to: string;
  data: string;
}

/** Words of a struct by field, in order: every one of Terms and of Leaf is a single word. */
export const TERMS_WORDS = [
  "format",
  "patientId",
  "grantee",
  "compartments",
  "purposes",
  "notBefore",
  "notAfter",
  "recordedFrom",
  "recordedTo",
  "salt",
];
export const LEAF_WORDS = [
  "format",
  "memberId",
  "index",
  "kind",
  "compartment",
  "recordedDay",
  "patientId",
  "patientSeq",
  "ref",
  "contentDigest",
  "salt",
];

/** The same calldata with the highest bit of one argument word set: a bit outside every type below uint256. */
export function dirtied(data: string, word: number): string {
  const bytes = getBytes(data);
  const place = 4 + word * 32;
  if (bytes[place] !== 0) throw new Error(`word ${word} is not a small number`);
  return concat([dataSlice(data, 0, place), "0x80", dataSlice(data, place + 1)]);
}

/** The argument word at which a struct starts whose offset stands in word `at`, counted from word `base`. */
export function wordBehind(data: string, at: number, base = 0): number {
  const start = 4 + at * 32;
  return base + Number(BigInt(dataSlice(data, start, start + 32))) / 32;
}

/** Calls (without a transaction) with one dirty word. */
export async function callDirtied({ from, to, data }: RawCall, word: number): Promise<string> {
  return await from.call({ to, data: dirtied(data, word) });
}

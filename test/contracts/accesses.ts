// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { AbiCoder, keccak256 } from "ethers";
import { Extent, Purpose, ethers } from "./consortium.js";
import type { TestEntry } from "./consortium.js";
import { wordBehind } from "./dirty-words.js";
import type { RawCall } from "./dirty-words.js";
import type { WithGrant } from "./fixtures.js";

/** The only basis there is so far. */
const BASIS_GRANT = 0;

/** What a request may say otherwise than: a clinician of hospital B, the fixture's terms, TREAT. */
interface RequestChanges {
  as?: HardhatEthersSigner;
  terms?: WithGrant["terms"];
  purpose?: number;
}
interface Scope {
  compartments: bigint;
  recordedFrom: number;
  recordedTo: number;
  upTo: number | bigint;
}

export function requestRecords(f: WithGrant, entries: TestEntry[], changes: RequestChanges = {}) {
  const { as, terms, purpose } = { as: f.clinicianB, terms: f.terms, purpose: Purpose.TREAT, ...changes };
  return f.accessLog.connect(as).requestRecords(terms, purpose, entries);
}

/** The argument word of `requestRecords` that holds the offset of the entries. */
const ENTRIES_WORD = 11;

/** A request for one record by hand, and the argument word at which its leaf starts. */
export async function rawRecordsRequest(
  f: WithGrant,
  entry: TestEntry,
): Promise<RawCall & { leafWord: number }> {
  const data = f.accessLog.interface.encodeFunctionData("requestRecords", [f.terms, Purpose.TREAT, [entry]]);
  const firstEntry = wordBehind(data, ENTRIES_WORD) + 1;
  const leafWord = wordBehind(data, firstEntry, firstEntry);
  return { from: f.clinicianB, to: await f.accessLog.getAddress(), data, leafWord };
}

/** The whole of what the fixture's terms and hospital A's log hold, but for `scope`. */
export function scopeFor(f: WithGrant, scope: Partial<Scope> = {}): Scope {
  const { compartments, recordedFrom, recordedTo } = f.terms;
  return { compartments, recordedFrom, recordedTo, upTo: 10, ...scope };
}

export function requestScope(
  f: WithGrant,
  scope: Partial<Scope> = {},
  changes: RequestChanges & { extent?: number } = {},
) {
  const { as, terms, purpose, extent } = {
    as: f.clinicianB,
    terms: f.terms,
    purpose: Purpose.TREAT,
    extent: Extent.CHART,
    ...changes,
  };
  return f.accessLog.connect(as).requestScope(terms, purpose, extent, scopeFor(f, scope));
}

/** The id of the patient's access number `count` (from 1), as any release agent derives it. */
export async function accessIdOf(f: WithGrant, count: number): Promise<string> {
  const { chainId } = await ethers.provider.getNetwork();
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["uint256", "address", "bytes32", "uint256"],
      [chainId, await f.accessLog.getAddress(), f.patient.patientId, count],
    ),
  );
}

/** The Access of an event for hospital B under the fixture's terms. */
export function accessAt(f: WithGrant, requestedAt: number): unknown[] {
  return [2, BASIS_GRANT, f.termsHash, Purpose.TREAT, requestedAt];
}

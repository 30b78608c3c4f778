// SPDX-License-Identifier: Apache-2.0
import type { Log, LogDescription } from "ethers";
import { accessEventOf } from "../access/index.js";
import type { Chain } from "../chain/index.js";
import { PURPOSES } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { actOf } from "./acts.js";
import type { AuditEntry, GivenBy } from "./audit.js";
import type { Place, Registry } from "./place.js";
import { REGISTRIES } from "./registries.js";

/** IConsentRegistry.GivenBy, from number 1 on; 0 is nobody. */
const GIVEN_BY = ["PATIENT", "GUARDIANS", "WITNESSES", "DELEGATE"] as const;

/** Of the terms in GrantGiven, what is shown. */
type LoggedTerms = Record<
  "grantee" | "compartments" | "purposes" | "notBefore" | "notAfter" | "recordedFrom" | "recordedTo",
  bigint
>;

/** An event of the patient with the registry that it came from. */
export interface FoundLog {
  registry: Registry;
  log: Log;
}

/**
 * Puts one event in our terms. Never throws: a head covers an event's bytes, not their sense, and a node may show
 * bytes that mean nothing.
 * @returns its entry; `at` is 0 when the event does not say its time
 */
export function entryOf(chain: Chain, { registry, log }: FoundLog): AuditEntry {
  const place: Place = {
    at: 0,
    blockNumber: log.blockNumber,
    transactionHash: log.transactionHash as Hex,
    logIndex: log.index,
    contract: registry,
  };
  let event = log.topics[0] ?? "no topic";
  try {
    const parsed = chain[REGISTRIES[registry].part].interface.parseLog(log);
    if (parsed !== null) {
      event = parsed.name;
      const entry = readers[parsed.name]?.(place, parsed, chain, log);
      if (entry !== undefined) return entry;
      const act = actOf(parsed);
      if (act !== undefined) return { ...place, ...act };
    }
  } catch {
    // Bytes that do not decode: listed below, and the head says whether they are the chain's.
  }
  return { ...place, kind: "other", event };
}

type Reader = (place: Place, parsed: LogDescription, chain: Chain, log: Log) => AuditEntry | undefined;

const readers: Readonly<Record<string, Reader>> = {
  PatientRegistered: (place, { args }) => ({
    ...place,
    at: Number(args["registeredAt"]),
    kind: "enrolled",
    custodian: Number(args["custodian"]),
    hasSigner: args["signer"] !== "0x",
  }),
  GrantGiven: (place, { args }) => {
    const terms = args["terms"] as LoggedTerms;
    const givenBy = giverOf(args["givenBy"]);
    if (givenBy === undefined) return undefined;
    return {
      ...place,
      at: Number(args["grantedAt"]),
      kind: "grant-given",
      termsHash: args["termsHash"] as Hex,
      grantee: Number(terms.grantee),
      givenBy,
      purposes: PURPOSES.filter((_, number) => (Number(terms.purposes) >> number) & 1),
      compartments: bitsOf(terms.compartments),
      notBefore: Number(terms.notBefore),
      notAfter: Number(terms.notAfter),
      recordedFrom: Number(terms.recordedFrom),
      recordedTo: Number(terms.recordedTo),
    };
  },
  GrantRevoked: (place, { args }) => {
    const revokedBy = giverOf(args["revokedBy"]);
    if (revokedBy === undefined) return undefined;
    const termsHash = args["termsHash"] as Hex;
    return { ...place, at: Number(args["revokedAt"]), kind: "grant-revoked", termsHash, revokedBy };
  },
  DirectiveSet: (place, { args }) => {
    const setBy = giverOf(args["setBy"]);
    if (setBy === undefined) return undefined;
    return {
      ...place,
      at: Number(args["setAt"]),
      kind: "directive-set",
      denyAll: args["denyAll"] as boolean,
      denyEmergency: args["denyEmergency"] as boolean,
      deniedCompartments: bitsOf(args["deniedCompartments"] as bigint),
      setBy,
      nonce: Number(args["nonce"]),
    };
  },
  RecordsRequested: accessEntry,
  ScopeRequested: accessEntry,
  EntrySuperseded: (place, { args }) => ({
    ...place,
    kind: "amended",
    memberId: Number(args["memberId"]),
    index: Number(args["index"]),
    byIndex: Number(args["byIndex"]),
  }),
  EntryRetracted: (place, { args }) => ({
    ...place,
    kind: "retracted",
    memberId: Number(args["memberId"]),
    index: Number(args["index"]),
  }),
};

function accessEntry(place: Place, _parsed: LogDescription, chain: Chain, log: Log): AuditEntry | undefined {
  const { accessId, reader, memberId, basis, basisRef, purpose, requestedAt, extent, indices, scope } =
    accessEventOf(chain, log);
  // Numbers outside their enum, which no contract writes, come as undefined.
  if ((basis as unknown) === undefined || (extent as unknown) === undefined) return undefined;
  return {
    ...place,
    at: requestedAt,
    kind: "access",
    accessId,
    reader,
    memberId,
    basis,
    basisRef,
    purpose,
    extent,
    indices,
    ...(scope === undefined ? {} : { scope: { ...scope, compartments: bitsOf(scope.compartments) } }),
  };
}

/** Undefined for nobody and for a number that no contract writes. */
function giverOf(number: unknown): GivenBy | undefined {
  return GIVEN_BY[Number(number) - 1];
}

/** Numbers of the bits set in a uint64. */
function bitsOf(bitmap: bigint): number[] {
  return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (bitmap >> BigInt(bit)) & 1n);
}

// SPDX-License-Identifier: Apache-2.0
import type { Log } from "ethers";
import type { Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import type { Accounting, AuditFilter, Lookup } from "./audit.js";
import { isWithin } from "./disclosures.js";

export interface LookupSearch {
  chain: Chain;
  subject: Accounting["subject"];
  filter: AuditFilter;
}

export function lookupTopic(chain: Chain): string {
  return chain.emergencies.interface.getEvent("LookupLogged").topicHash;
}

/** The lookup that an event tells of; undefined when it is none of the subject's in the period. */
export function lookupOfSubject(log: Log, { chain, subject, filter }: LookupSearch): Lookup | undefined {
  const lookup = lookupOf(chain, log);
  if (lookup === undefined || !isWithin(lookup, filter)) return undefined;
  const isOfSubject =
    "member" in subject ? lookup.memberId === subject.member : lookup.reader === subject.clinician;
  return isOfSubject ? lookup : undefined;
}

/** Undefined for bytes that mean nothing. */
function lookupOf(chain: Chain, log: Log): Lookup | undefined {
  try {
    const { args } = chain.emergencies.interface.parseLog(log)!;
    return {
      at: Number(args["loggedAt"]),
      blockNumber: log.blockNumber,
      transactionHash: log.transactionHash as Hex,
      logIndex: log.index,
      contract: "BreakGlass",
      kind: "lookup",
      lookupId: args["lookupId"] as Hex,
      reader: (args["reader"] as string).toLowerCase() as Hex,
      memberId: Number(args["memberId"]),
    };
  } catch {
    return undefined;
  }
}

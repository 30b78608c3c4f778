// SPDX-License-Identifier: Apache-2.0
import type { Lookup } from "./audit.js";
import { toBeHex, zeroPadValue, type Log } from "ethers";
import { accessEventOf, inParallel } from "../access/index.js";
import { headCount, readLogs, type Chain, type LogFilter } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { isWithin } from "./disclosures.js";
import { lookupOfSubject, lookupTopic, type LookupSearch } from "./lookups.js";
import { headOf } from "./read-patients.js";
import { REGISTRIES } from "./registries.js";

/** Patients whose heads a node is asked for at the same time. */
const HEADS_AT_ONCE = 50;

export interface Search extends LookupSearch {
  /** The last one. */
  block: number;
  /** Blocks that were searched, of so many. */
  onBlocks: (done: number, total: number) => void;
}

/** What the node shows of a subject. */
export interface Found {
  /** Whom it read, broke the glass on, or keeps. */
  patients: Set<Hex>;
  /** Whom it looked for, in chain order. */
  lookups: Lookup[];
}

/** Searches the chain for a subject's patients and lookups. */
export async function findPatients(search: Search): Promise<Found> {
  const { chain, subject, block } = search;
  const { emergencies, patients } = chain;
  const found = new Set<Hex>();
  const lookups: Lookup[] = [];
  const account = "clinician" in subject ? zeroPadValue(subject.clinician, 32) : null;
  for await (const log of logsOf(search, "accessLog", [null, null, null, account])) {
    if (isAccessOfSubject(log, search)) found.add(log.topics[REGISTRIES.AccessLog.patientTopic] as Hex);
  }
  const [broken, late] = (["GlassBroken", "LateReleaseFiled"] as const).map(
    (name) => emergencies.interface.getEvent(name).topicHash,
  );
  const looked = lookupTopic(chain);
  for await (const log of logsOf(search, "emergencies", [[broken!, late!, looked]])) {
    if (log.topics[0] === looked) lookups.push(...lookupsIn(log, search));
    else if (isEmergencyOfSubject(log, search))
      found.add(log.topics[REGISTRIES.BreakGlass.patientTopic] as Hex);
  }
  if (!("member" in subject)) return { patients: found, lookups };
  const registered = patients.interface.getEvent("PatientRegistered").topicHash;
  const kept: Hex[] = [];
  for await (const log of logsOf(search, "patients", [registered, null, toBeHex(subject.member, 32)])) {
    kept.push(log.topics[REGISTRIES.PatientRegistry.patientTopic] as Hex);
  }
  for (const patientId of await withDisclosures(chain, kept, block)) found.add(patientId);
  return { patients: found, lookups };
}

function lookupsIn(log: Log, search: Search): Lookup[] {
  const lookup = lookupOfSubject(log, search);
  return lookup === undefined ? [] : [lookup];
}

/** Of these patients, those of whom the chain counts an access or an emergency. */
export async function withDisclosures(
  chain: Chain,
  patientIds: readonly Hex[],
  block: number,
): Promise<Hex[]> {
  const counts = await inParallel(patientIds, HEADS_AT_ONCE, async (patientId) => {
    const heads = (["AccessLog", "BreakGlass"] as const).map((registry) =>
      headOf(chain, registry, patientId, block),
    );
    return (await Promise.all(heads)).reduce((sum, head) => sum + headCount(head), 0n);
  });
  return patientIds.filter((_, position) => counts[position]! > 0n);
}

const PASSES = ["accessLog", "emergencies", "patients"] as const;

function logsOf(search: Search, part: (typeof PASSES)[number], topics: LogFilter["topics"]) {
  const { chain, subject, block, onBlocks } = search;
  const { fromBlock, [part]: address } = chain.deployment;
  const blocks = block - fromBlock + 1;
  const total = blocks * ("member" in subject ? PASSES.length : PASSES.length - 1);
  const onChunk = (last: number) => onBlocks(blocks * PASSES.indexOf(part) + last - fromBlock + 1, total);
  return readLogs(chain, { address, topics, toBlock: block, onChunk });
}

function isAccessOfSubject(log: Log, { chain, subject, filter }: Search): boolean {
  try {
    const access = accessEventOf(chain, log);
    if (!isWithin({ at: access.requestedAt }, filter)) return false;
    return !("member" in subject) || access.memberId === subject.member;
  } catch {
    return true; // bytes that mean nothing: the patient's head says whether they are the chain's
  }
}

/** Whenever it was: what it led to may lie in the period. */
function isEmergencyOfSubject(log: Log, { chain, subject }: Search): boolean {
  try {
    const { name, args } = chain.emergencies.interface.parseLog(log)!;
    if ("member" in subject) {
      const { memberId, terms } = args as unknown as { memberId: bigint; terms: { grantee: bigint } };
      return Number(name === "LateReleaseFiled" ? memberId : terms.grantee) === subject.member;
    }
    const persons = [args["reader"], args["colleague"]].map((account) => String(account).toLowerCase());
    return persons.includes(subject.clinician);
  } catch {
    return true;
  }
}

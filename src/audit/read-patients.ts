// SPDX-License-Identifier: Apache-2.0
import type { Log } from "ethers";
import { inParallel } from "../access/index.js";
import { collectLogs, type Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Audit, AuditEntry, AuditHead } from "./audit.js";
import { entryOf } from "./entries.js";
import { compareHead } from "./heads.js";
import { REGISTRIES, REGISTRY_NAMES, perRegistry } from "./registries.js";
import type { Registry } from "./place.js";

/** Patients whose heads a node is asked for at the same time. */
const HEADS_AT_ONCE = 20;

/** Everything that the chain holds about one patient at one block. */
export interface PatientRead {
  patientId: Hex;
  /** Member id; 0 when no such pseudonym is registered. */
  custodian: number;
  heads: AuditHead[];
  /** In chain order. */
  entries: AuditEntry[];
}

/** @throws ERR_RPC_UNAVAILABLE */
export async function newestBlock(chain: Chain): Promise<Audit["block"]> {
  const block = await chain.ask(() => chain.provider.getBlock("latest"));
  if (block?.hash == null) {
    throw new ChartsealError("ERR_RPC_UNAVAILABLE", "the node has no newest block", { retryable: true });
  }
  return { number: block.number, hash: block.hash as Hex, at: block.timestamp };
}

/** Reads all events of these patients up to a block, and holds them against the heads of every contract. */
export async function readPatients(
  chain: Chain,
  patientIds: readonly Hex[],
  block: number,
): Promise<PatientRead[]> {
  // The heads first: many nodes keep the state of recent blocks only, and the logs may take a while.
  const states = await inParallel(patientIds, HEADS_AT_ONCE, (patientId) => stateOf(chain, patientId, block));
  const logs = await readRegistries(chain, patientIds, block);
  const times = new Map<number, number>();
  const patients: PatientRead[] = [];
  for (const [position, patientId] of patientIds.entries()) {
    const { custodian, heads: current } = states[position]!;
    const own = logs.get(patientId)!;
    const heads: AuditHead[] = [];
    for (const [place, registry] of REGISTRY_NAMES.entries()) {
      const headAt = (number: number) => headOf(chain, registry, patientId, number);
      heads.push(await compareHead({ registry, logs: own[registry], head: current[place]!, block, headAt }));
    }
    const entries = await readEntries(chain, own, times);
    patients.push({ patientId, custodian, heads, entries });
  }
  return patients;
}

async function stateOf(chain: Chain, patientId: Hex, blockTag: number) {
  const { custodian } = await chain.ask(() => chain.patients.patientOf(patientId, { blockTag }));
  const heads = await Promise.all(
    REGISTRY_NAMES.map((registry) => headOf(chain, registry, patientId, blockTag)),
  );
  return { custodian: Number(custodian), heads };
}

/** A contract's head of a patient at the end of a block. */
export async function headOf(
  chain: Chain,
  registry: Registry,
  patientId: Hex,
  blockTag: number,
): Promise<bigint> {
  return await chain.ask(() =>
    registry === "RecordRegistry"
      ? chain.records.patientHeadOf(patientId, { blockTag })
      : chain[REGISTRIES[registry].part].headOf(patientId, { blockTag }),
  );
}

/** Every event about each patient, whatever its name, in the order in which the node shows them. */
async function readRegistries(
  chain: Chain,
  patientIds: readonly Hex[],
  toBlock: number,
): Promise<Map<Hex, Record<Registry, Log[]>>> {
  const found = new Map(patientIds.map((patientId) => [patientId, perRegistry((): Log[] => [])]));
  const read = async (registry: Registry) => {
    const { part, patientTopic } = REGISTRIES[registry];
    const topics = [...Array<null>(patientTopic).fill(null), [...patientIds]];
    for (const log of await collectLogs(chain, { address: chain.deployment[part], topics, toBlock })) {
      // What was not asked for says nothing about anyone who was: his head says whether something is missing.
      found.get(log.topics[patientTopic] as Hex)?.[registry].push(log);
    }
  };
  await Promise.all(REGISTRY_NAMES.map(read));
  return found;
}

async function readEntries(
  chain: Chain,
  logs: Record<Registry, Log[]>,
  times: Map<number, number>,
): Promise<AuditEntry[]> {
  const found = REGISTRY_NAMES.flatMap((registry) => logs[registry].map((log) => ({ registry, log })));
  found.sort((a, b) => a.log.blockNumber - b.log.blockNumber || a.log.index - b.log.index);
  const entries = found.map((one) => entryOf(chain, one));
  const grantees = new Map<Hex, number>();
  for (const entry of entries) {
    if (entry.kind === "grant-given") grantees.set(entry.termsHash, entry.grantee);
    if (entry.at === 0) entry.at = await blockTime(chain, entry.blockNumber, times);
  }
  for (const entry of entries) {
    if (entry.kind !== "grant-revoked") continue;
    const grantee = grantees.get(entry.termsHash);
    if (grantee !== undefined) entry.grantee = grantee;
  }
  return entries;
}

/** Unix seconds; 0 when the node does not have the block. @param known Those asked for already */
export async function blockTime(chain: Chain, number: number, known: Map<number, number>): Promise<number> {
  const time = known.get(number) ?? (await chain.ask(() => chain.provider.getBlock(number)))?.timestamp ?? 0;
  known.set(number, time);
  return time;
}

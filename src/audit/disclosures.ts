// SPDX-License-Identifier: Apache-2.0
import type { Log } from "ethers";
import { collectLogs, type Chain } from "../chain/index.js";
import { isHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Journal } from "../records/index.js";
import type { Vault } from "../vault/index.js";
import {
  memberOf,
  type Audit,
  type AuditEntry,
  type AuditFilter,
  type AuditHead,
  type HeadedRegistry,
  type LocalNames,
  type Registry,
} from "./audit.js";
import { entryOf } from "./entries.js";
import { compareHead } from "./heads.js";
import { HEADED, REGISTRIES, REGISTRY_NAMES, perRegistry } from "./registries.js";
import { markSuspect } from "./suspect.js";

export interface DisclosuresOptions extends AuditFilter {
  /** Through the member's own node. */
  chain: Chain;
  /** Patient id: the pseudonym at his custodian. */
  patient: Hex;
  /** The custodian's vault: names compartments in the timeline. */
  vault?: Pick<Vault, "compartments">;
  /** The custodian's journal: names records in the timeline. */
  journal?: Pick<Journal, "itemAt" | "details">;
}

/**
 * Reads everything that the chain holds about a patient, and checks that nothing is missing, altered or reordered:
 * the heads of every contract that keeps one are recomputed from the events that the node shows.
 * All is read at one block, the newest.
 *
 * The heads come from the same node: a node that answers both logs and storage from one made-up chain is not caught
 * here. Ask a second member's node to be sure.
 * @throws ERR_USAGE, ERR_PATIENT_UNKNOWN when no such pseudonym is registered, ERR_RPC_UNAVAILABLE
 */
export async function disclosures(options: DisclosuresOptions): Promise<Audit> {
  const { chain } = options;
  const patientId = patientIdOf(options);
  const block = await newestBlock(chain);
  // The heads first: many nodes keep the state of recent blocks only, and the logs may take a while.
  const custodian = await custodianOf(chain, patientId, block.number);
  const current = await Promise.all(
    HEADED.map((registry) => headOf(chain, registry, patientId, block.number)),
  );
  const logs = await readRegistries(chain, patientId, block.number);
  const heads: AuditHead[] = [];
  for (const [position, registry] of HEADED.entries()) {
    const headAt = (number: number) => headOf(chain, registry, patientId, number);
    const head = current[position]!;
    heads.push(await compareHead({ registry, logs: logs[registry], head, block: block.number, headAt }));
  }
  const entries = await readEntries(chain, logs);
  await markSuspect(chain, entries, block.number);
  const filter = filterOf(options);
  const local = localNames(options, patientId, entries);
  return {
    patientId,
    custodian,
    chainId: chain.deployment.chainId,
    contracts: perRegistry((registry) => chain.deployment[REGISTRIES[registry].part]),
    block,
    complete: heads.every((head) => head.complete),
    heads,
    filter,
    total: entries.length,
    entries: entries.filter((entry) => isShown(entry, filter)),
    members: await memberNames(chain, block.number),
    ...(local === undefined ? {} : { local }),
  };
}

function patientIdOf({ patient, from, to, reader }: DisclosuresOptions): Hex {
  const patientId = patient.toLowerCase() as Hex;
  if (!isHex(patientId, 32)) {
    throw new ChartsealError("ERR_USAGE", "a patient id is 0x and 64 hex digits", {
      hint: "`chartseal patient list` shows them",
    });
  }
  if (from !== undefined && to !== undefined && from > to) {
    throw new ChartsealError("ERR_USAGE", "the audit's period would end before it begins");
  }
  if (reader !== undefined && !isHex(reader.toLowerCase(), 20)) {
    throw new ChartsealError("ERR_USAGE", "a reader is an account: 0x and 40 hex digits", {
      values: { reader },
    });
  }
  return patientId;
}

async function newestBlock(chain: Chain): Promise<Audit["block"]> {
  const block = await chain.ask(() => chain.provider.getBlock("latest"));
  if (block?.hash == null) {
    throw new ChartsealError("ERR_RPC_UNAVAILABLE", "the node has no newest block", { retryable: true });
  }
  return { number: block.number, hash: block.hash as Hex, at: block.timestamp };
}

async function custodianOf(chain: Chain, patientId: Hex, blockTag: number): Promise<number> {
  const { custodian } = await chain.ask(() => chain.patients.patientOf(patientId, { blockTag }));
  if (custodian !== 0n) return Number(custodian);
  // Not an empty audit that calls itself complete: a mistyped id would look like a patient nobody ever read.
  throw new ChartsealError("ERR_PATIENT_UNKNOWN", `no patient ${patientId} is registered on this chain`, {
    values: { patientId },
    hint: "a patient has another id at every custodian; `chartseal patient list` shows yours",
  });
}

async function headOf(
  chain: Chain,
  registry: HeadedRegistry,
  patientId: Hex,
  blockTag: number,
): Promise<bigint> {
  return await chain.ask(() => chain[REGISTRIES[registry].part].headOf(patientId, { blockTag }));
}

/** Every event about the patient, whatever its name, in the order in which the node shows them. */
async function readRegistries(
  chain: Chain,
  patientId: Hex,
  toBlock: number,
): Promise<Record<Registry, Log[]>> {
  const read = async (registry: Registry) => {
    const { part, patientTopic } = REGISTRIES[registry];
    const topics = [...Array<null>(patientTopic).fill(null), patientId];
    return await collectLogs(chain, { address: chain.deployment[part], topics, toBlock });
  };
  const logs = await Promise.all(REGISTRY_NAMES.map(read));
  return perRegistry((registry) => logs[REGISTRY_NAMES.indexOf(registry)]!);
}

async function readEntries(chain: Chain, logs: Record<Registry, Log[]>): Promise<AuditEntry[]> {
  const found = (Object.keys(logs) as Registry[]).flatMap((registry) =>
    logs[registry].map((log) => ({ registry, log })),
  );
  found.sort((a, b) => a.log.blockNumber - b.log.blockNumber || a.log.index - b.log.index);
  const entries = found.map((one) => entryOf(chain, one));
  const grantees = new Map<Hex, number>();
  const times = new Map<number, number>();
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

async function blockTime(chain: Chain, number: number, known: Map<number, number>): Promise<number> {
  const time = known.get(number) ?? (await chain.ask(() => chain.provider.getBlock(number)))?.timestamp ?? 0;
  known.set(number, time);
  return time;
}

async function memberNames(chain: Chain, toBlock: number): Promise<Record<number, string>> {
  const { interface: abi } = chain.members;
  const topics = [abi.getEvent("MemberAdmitted").topicHash];
  const logs = await collectLogs(chain, { address: chain.deployment.members, topics, toBlock });
  const names: Record<number, string> = {};
  for (const log of logs) {
    try {
      const args = abi.parseLog(log)?.args;
      if (args !== undefined) names[Number(args["memberId"])] = args["name"] as string;
    } catch {
      // A contract takes any bytes for a string: a name that is not UTF-8 must not spoil everyone's audits.
    }
  }
  return names;
}

function filterOf({ from, to, member, reader }: AuditFilter): AuditFilter {
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(member === undefined ? {} : { member }),
    ...(reader === undefined ? {} : { reader: reader.toLowerCase() as Hex }),
  };
}

function isShown(entry: AuditEntry, { from, to, member, reader }: AuditFilter): boolean {
  if (from !== undefined && entry.at * 1000 < from.getTime()) return false;
  if (to !== undefined && entry.at * 1000 > to.getTime()) return false;
  if (member !== undefined && memberOf(entry) !== member) return false;
  if (reader === undefined) return true;
  return entry.kind === "access" ? entry.reader === reader : isEmergencyOf(entry, reader);
}

function isEmergencyOf(entry: AuditEntry, reader: Hex): boolean {
  return (entry.kind === "glass-broken" || entry.kind === "late-release") && entry.details.reader === reader;
}

function localNames(
  { vault, journal }: DisclosuresOptions,
  patientId: Hex,
  entries: readonly AuditEntry[],
): LocalNames | undefined {
  if (vault === undefined && journal === undefined) return undefined;
  const local: LocalNames = { compartments: compartmentNames(vault, patientId), records: {} };
  const indices = new Set(
    entries.flatMap((entry) => {
      if (entry.kind === "access") return entry.indices;
      if (entry.kind === "amended" || entry.kind === "retracted") return [entry.index];
      return "details" in entry && entry.details.index !== undefined ? [Number(entry.details.index)] : [];
    }),
  );
  for (const index of indices) {
    const item = journal?.itemAt(index);
    // The journal is of one member's log: another custodian's entry of that number is another record.
    if (item?.patientId === patientId) local.records[index] = journal!.details(item.id).label;
  }
  return local;
}

function compartmentNames(vault: DisclosuresOptions["vault"], patientId: Hex): Record<number, string> {
  try {
    const numbers = Object.entries(vault?.compartments(patientId) ?? {});
    return Object.fromEntries(numbers.map(([name, number]) => [number, name]));
  } catch (error) {
    // Another custodian's patient: his numbers mean nothing here.
    if (error instanceof ChartsealError && error.code === "ERR_PATIENT_UNKNOWN") return {};
    throw error;
  }
}

// SPDX-License-Identifier: Apache-2.0
import type { Block, Log, TransactionReceipt } from "ethers";
import type { Chain } from "../chain/index.js";
import { purposeCode, type Purpose } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";

export const EXTENTS = ["INDEX", "CHART"] as const;
export const BASES = ["GRANT", "PATIENT", "BREAK_GLASS", "LEGAL_ORDER"] as const;

/** uint32: no end. */
export const LAST_DAY = 0xffff_ffff;

/** Part of a patient's records. */
export interface Scope {
  /** Bitmap. */
  compartments: bigint;
  /** Days since 1970-01-01 UTC, inclusive. */
  recordedFrom: number;
  recordedTo: number;
  /** Newest index of the custodian's log that is meant. */
  upTo: number;
}

/** One access as the AccessLog recorded it. */
export interface AccessEvent {
  accessId: Hex;
  patientId: Hex;
  reader: Hex;
  memberId: number;
  basis: (typeof BASES)[number];
  /** Terms hash, of a GRANT. */
  basisRef: Hex;
  purpose: Purpose;
  /** Unix seconds. */
  requestedAt: number;
  /** RECORDS: bodies of `indices`; INDEX: what there is in `scope`; CHART: bodies of all in `scope`. */
  extent: "RECORDS" | (typeof EXTENTS)[number];
  indices: number[];
  scope?: Scope;
  blockNumber: number;
  transactionHash: Hex;
}

/** Arguments of both events, as ethers decodes them; each event has its own part of the last three. */
interface EventArguments {
  accessId: Hex;
  patientId: Hex;
  reader: string;
  access: AccessStructOutput;
  indices: readonly bigint[];
  extent: bigint;
  scope: ScopeStructOutput;
}

type AccessStructOutput = Record<"memberId" | "basis" | "purpose" | "requestedAt", bigint> & {
  basisRef: Hex;
};
type ScopeStructOutput = Record<"compartments" | "recordedFrom" | "recordedTo" | "upTo", bigint>;

/** Reads RecordsRequested and ScopeRequested. */
export function accessEventOf(chain: Chain, log: Log): AccessEvent {
  const parsed = chain.accessLog.interface.parseLog(log);
  if (parsed === null)
    throw new ChartsealError("ERR_CHAIN_MISMATCH", "an event that this version does not know");
  const args = parsed.args as unknown as EventArguments;
  const { access, scope } = args;
  const event: AccessEvent = {
    accessId: args.accessId,
    patientId: args.patientId,
    reader: args.reader.toLowerCase() as Hex,
    memberId: Number(access.memberId),
    basis: BASES[Number(access.basis)]!,
    basisRef: access.basisRef,
    purpose: purposeCode(Number(access.purpose)),
    requestedAt: Number(access.requestedAt),
    extent: "RECORDS",
    indices: [],
    blockNumber: log.blockNumber,
    transactionHash: log.transactionHash as Hex,
  };
  if (parsed.name === "RecordsRequested") return { ...event, indices: args.indices.map(Number) };
  return {
    ...event,
    extent: EXTENTS[Number(args.extent)]!,
    scope: {
      compartments: scope.compartments,
      recordedFrom: Number(scope.recordedFrom),
      recordedTo: Number(scope.recordedTo),
      upTo: Number(scope.upTo),
    },
  };
}

/** Topic 0 of the AccessLog's events. */
export function accessTopics(chain: Chain): string[] {
  const { interface: abi } = chain.accessLog;
  return [abi.getEvent("RecordsRequested").topicHash, abi.getEvent("ScopeRequested").topicHash];
}

/**
 * The access as this member's own node shows it in its transaction.
 * @returns undefined while its block is not {@link Chain.confirmations} deep, or no part of the chain (any more)
 * @throws ERR_CAPSULE_REFUSED when the transaction logged no such access, ERR_CHAIN_MISMATCH when the node
 * contradicts itself, ERR_RPC_UNAVAILABLE
 */
export async function findAccess(
  chain: Chain,
  accessId: Hex,
  transactionHash: Hex,
): Promise<AccessEvent | undefined> {
  const receipt = await chain.ask(() => chain.provider.getTransactionReceipt(transactionHash));
  if (receipt === null) return undefined;
  const block = await settledBlock(chain, receipt);
  if (block === undefined) return undefined;
  const topics = accessTopics(chain);
  const log = receipt.logs.find(
    (entry) =>
      // Anyone can deploy a contract that emits the same events.
      entry.address.toLowerCase() === chain.deployment.accessLog &&
      topics.includes(entry.topics[0]!) &&
      entry.topics[1] === accessId,
  );
  if (log === undefined) {
    throw new ChartsealError("ERR_CAPSULE_REFUSED", `no access ${accessId} on chain: no log, no key`, {
      values: { accessId },
    });
  }
  const access = accessEventOf(chain, log);
  if (access.requestedAt === block.timestamp) return access;
  throw contradiction(receipt, "its event is of another time than its block");
}

/**
 * The block of a transaction, once it is {@link Chain.confirmations} deep and stands in the chain at the place that the
 * receipt says.
 * @returns undefined until then
 * @throws ERR_CHAIN_MISMATCH when the node contradicts itself, ERR_RPC_UNAVAILABLE
 */
export async function settledBlock(chain: Chain, receipt: TransactionReceipt): Promise<Block | undefined> {
  const { blockNumber, blockHash, hash } = receipt;
  const head = await chain.ask(() => chain.provider.getBlockNumber());
  if (head - blockNumber + 1 < chain.confirmations) return undefined;
  const block = await chain.ask(() => chain.provider.getBlock(blockNumber));
  if (block?.hash !== blockHash) return undefined; // reorganised between two questions
  if (receipt.status !== 1) throw contradiction(receipt, "it failed");
  if (!block.transactions.includes(hash)) throw contradiction(receipt, "its block does not hold it");
  return block;
}

/** The error for a node whose answers do not fit together. */
export function contradiction({ hash }: TransactionReceipt, why: string): ChartsealError {
  return new ChartsealError(
    "ERR_CHAIN_MISMATCH",
    `the node contradicts itself on transaction ${hash}: ${why}`,
    {
      values: { transaction: hash },
      hint: "run `chartseal doctor`; ask another node",
    },
  );
}

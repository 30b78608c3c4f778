// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { sealCapsule, sealIndexPage, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Journal } from "../records/index.js";
import type { Vault } from "../vault/index.js";
import type { AccessEvent } from "./access-event.js";
import { receiptDocument, receiptText, type AccessReceipt } from "./access-receipt.js";
import type { ChartEntry } from "./chart.js";
import { inParallel } from "./in-parallel.js";
import { writePage, type PageBatch } from "./index-page.js";
import type { Release } from "./message-bodies.js";
import { permissionOf, type Permission } from "./permission.js";
import { refused } from "./refused.js";
import { releasable, stillReleasable, type Releasable } from "./releasable.js";
import {
  accessDigest,
  storedRelease,
  withoutErasedHere,
  type AgentState,
  type StoredRelease,
} from "./stored-release.js";
import { withdrawnFrom } from "./withdrawn.js";

/** Capsules that are sealed at the same time: Node's thread pool has four threads. */
const CAPSULES_AT_ONCE = 4;

export interface ReleaseParts {
  memberId: number;
  chain: Chain;
  vault: Vault;
  journal: Journal;
  /** What the agent remembers: in the vault, or, of an agent that works with a copy, in a vault of its own. */
  state: AgentState;
  /** Agrees with the member's other agents on what is given: before it leaves. */
  agree?: (access: AccessEvent, stored: string) => Promise<string>;
  /** Whether {@link fileReceipt} puts it in the member's own journal. */
  files: boolean;
  /** Makes the receipt of a release or refusal durable; the same again changes nothing. */
  fileReceipt: (receipt: AccessReceipt) => Promise<unknown>;
}

/**
 * Makes the release of an access, or gives the one that was made. No log, no key: everything is checked against
 * this member's own node, at its head, before a key leaves the vault, and once more before it leaves the agent.
 * @param publicKey The reader's key as he says; taken only if the chain has its digest
 * @returns the release as JSON
 * @throws ERR_CAPSULE_REFUSED with the reason, ERR_RPC_UNAVAILABLE, ERR_FORMAT_UNSUPPORTED for a stored release
 */
export async function release(parts: ReleaseParts, access: AccessEvent, publicKey?: Hex): Promise<string> {
  try {
    return await releaseOf(parts, access, publicKey);
  } catch (error) {
    dropErased(parts, access);
    throw error;
  }
}

async function releaseOf(parts: ReleaseParts, access: AccessEvent, publicKey?: Hex): Promise<string> {
  const { chain, state, agree } = parts;
  const { accessId } = access;
  const since = await chain.ask(() => chain.provider.getBlockNumber());
  const permission = await permissionOf(parts, access, publicKey);
  const items = await releasable(parts, access, permission);
  const made = state.releases.get(accessId);
  const mine =
    made !== undefined && storedRelease(made).access === accessDigest(access)
      ? made
      : await make(parts, access, permission, items, made);
  const agreed = agree === undefined ? mine : await agree(access, mine);
  if (agreed !== mine) state.releases.replace(accessId, mine, agreed);
  // A block that is reorganised meanwhile is looked at again.
  const checked = {
    checked: items,
    since: Math.max(chain.deployment.fromBlock, since - chain.confirmations),
  };
  return await handOut(parts, access, agreed, checked, publicKey);
}

/** An erasure that looked through what is stored just before this release was, has not seen it. */
function dropErased(parts: ReleaseParts, { accessId }: AccessEvent): void {
  const { releases } = parts.state;
  const stored = releases.get(accessId);
  if (stored === undefined) return;
  const clean = withoutErasedHere(parts, stored);
  if (clean !== stored) releases.replace(accessId, stored, clean);
}

/** Of two processes at once, both serve what the first one stored. */
async function make(
  parts: ReleaseParts,
  access: AccessEvent,
  permission: Permission,
  items: readonly Releasable[],
  old: string | undefined,
): Promise<string> {
  const { state } = parts;
  const { accessId } = access;
  const answer = await makeRelease(parts, access, permission, items);
  const text = JSON.stringify(answer);
  const indices = items.map(({ entry }) => entry.leaf.index);
  const receipt = receiptText(access, answer, indices, text);
  const stored: StoredRelease = { format: 1, access: accessDigest(access), indices, release: text, receipt };
  const json = JSON.stringify(stored);
  return old === undefined ? state.releases.put(accessId, json) : state.releases.replace(accessId, old, json);
}

/**
 * Nothing leaves before its receipt is safe. Sealing, the other agents and the receipt take time: what was withdrawn,
 * erased or told meanwhile counts.
 */
async function handOut(
  parts: ReleaseParts,
  access: AccessEvent,
  json: string,
  { checked, since }: { checked: readonly Releasable[]; since: number },
  publicKey?: Hex,
): Promise<string> {
  const stored = storedRelease(json);
  const permission = await permissionOf(parts, access, publicKey);
  const items = await stillReleasable(parts, access, permission, { checked, since });
  requireServable(access, stored, items, permission);
  await parts.fileReceipt(receiptDocument(access, stored.receipt));
  const denied = await withdrawnFrom(parts, access);
  const last = { ...permission, compartments: permission.compartments & ~denied };
  const left = await stillReleasable(parts, access, last, { checked: items, since });
  requirePermitted(access, stored, left);
  return stored.release;
}

/**
 * What was made once is served again as it was, unless it holds what is not permitted any more, or is sealed to a key
 * that its member replaced since: a withdrawn key may be in others' hands.
 */
function requireServable(
  access: AccessEvent,
  stored: StoredRelease,
  items: readonly Releasable[],
  { reader }: Permission,
): void {
  requirePermitted(access, stored, items);
  if (stored.release === "")
    throw refused(access, "an entry of its release was erased", "request what you still need");
  const { index, capsules } = JSON.parse(stored.release) as Release;
  const sealedTo = (index ?? capsules[0])?.keyEpoch;
  if (sealedTo === undefined || sealedTo === reader.keyEpoch) return;
  throw refused(
    access,
    `its release is sealed to key epoch ${sealedTo}; the member's is ${reader.keyEpoch} now`,
    "request it again",
  );
}

function requirePermitted(
  access: AccessEvent,
  { indices }: StoredRelease,
  items: readonly Releasable[],
): void {
  const permitted = new Set(items.map(({ entry }) => entry.leaf.index));
  const withdrawn = indices.find((index) => !permitted.has(index));
  if (withdrawn === undefined) return;
  throw refused(
    access,
    `entry ${withdrawn} of its release is not permitted any more`,
    "request what you still need",
  );
}

/** Seals what the items hold, checked or not: that is for the caller. */
export async function makeRelease(
  parts: ReleaseParts,
  access: Pick<AccessEvent, "accessId" | "extent">,
  { reader }: Pick<Permission, "reader">,
  items: readonly Releasable[],
): Promise<Release> {
  const { chain } = parts;
  const { accessId, extent } = access;
  const binding = { chainId: chain.chainId, accessLog: chain.deployment.accessLog, accessId };
  const opened = extent === "INDEX" ? [] : items;
  const sealed = await inParallel(opened, CAPSULES_AT_ONCE, async ({ item, entry }) => {
    const contentKey = keyOf(parts.vault, item.recordId!, extent);
    if (contentKey === undefined) return undefined;
    try {
      const content = { recordId: item.recordId!, contentKey, cid: entry.cid, leaf: entry.leaf };
      return await sealCapsule({ ...binding, ...reader, ...content });
    } finally {
      contentKey.fill(0);
    }
  });
  const capsules = sealed.filter((capsule) => capsule !== undefined);
  if (extent === "RECORDS") return { format: 1, accessId, capsules };
  const index = await sealIndexPage({ ...binding, ...reader, json: pageOf(parts, items) });
  return { format: 1, accessId, index, capsules };
}

/** @returns undefined for an erased key in a chart: one erasure on its way to the chain does not keep the rest back */
function keyOf(vault: Vault, recordId: Uint8Array, extent: AccessEvent["extent"]): Uint8Array | undefined {
  try {
    return vault.keyOf(recordId);
  } catch (error) {
    const erased = error instanceof ChartsealError && error.code === "ERR_KEY_ERASED";
    if (erased && extent === "CHART") return undefined;
    throw error;
  }
}

function pageOf({ journal }: ReleaseParts, items: readonly Releasable[]): string {
  const batches = new Map<number, PageBatch>();
  const listed = items.map(({ item, entry, status }): ChartEntry => {
    const batch = journal.batch(item.batchId!)!;
    batches.set(batch.firstIndex, {
      firstIndex: batch.firstIndex,
      count: batch.count,
      manifestDigest: toHex(batch.manifestDigest),
      blockNumber: batch.blockNumber!,
      blockHash: batch.blockHash!,
      transactionHash: batch.transactionHash!,
    });
    const { label, mediaType, size, resourceType, recordedAt } = journal.details(item.id);
    return {
      ...entry,
      status,
      label,
      mediaType,
      size,
      ...(resourceType === undefined ? {} : { resourceType }),
      ...(recordedAt === undefined ? {} : { recordedAt }),
    };
  });
  return writePage(listed, [...batches.values()]);
}

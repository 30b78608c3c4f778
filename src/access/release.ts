// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { sealCapsule, sealIndexPage, toHex, type Capsule, type Hex, type IndexPage, type Leaf } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { Entries, type Journal, type JournalItem } from "../records/index.js";
import type { Vault } from "../vault/index.js";
import { findAccess, type AccessEvent } from "./access-event.js";
import { writePage, type ChartEntry, type PageBatch } from "./chart.js";
import { permissionOf, refused, type Permission } from "./permission.js";

/** EntryStatus.WITHDRAWN: retracted or erased. */
const WITHDRAWN = 2 | 8;

export interface ReleaseParts {
  memberId: number;
  chain: Chain;
  vault: Vault;
  journal: Journal;
}

/** What a custodian hands out for one access; JSON. */
export interface Release {
  format: 1;
  accessId: Hex;
  /** For INDEX and CHART: what there is. */
  index?: IndexPage;
  /** For RECORDS and CHART: one capsule an entry. */
  capsules: Capsule[];
}

/**
 * Makes the release of an access, or gives the one that was made. No log, no key: everything is checked against
 * this member's own node, at its head, before a key leaves the vault.
 * @throws ERR_CAPSULE_REFUSED with the reason, ERR_RPC_UNAVAILABLE
 */
export async function release(parts: ReleaseParts, accessId: Hex): Promise<string> {
  const access = await findAccess(parts.chain, accessId);
  const permission = await permissionOf(parts.chain, access, parts.memberId);
  const made = parts.vault.release(accessId);
  if (made !== undefined) return made;
  const items = await releasable(parts, access, permission);
  const entries = new Entries(parts.journal, parts.memberId);
  const answer: Release = { format: 1, accessId, capsules: [] };
  const binding = { chainId: parts.chain.chainId, accessLog: parts.chain.deployment.accessLog, accessId };
  if (access.extent !== "RECORDS") {
    const json = pageOf(parts, entries, items);
    answer.index = await sealIndexPage({ ...binding, ...permission.reader, json });
  }
  if (access.extent !== "INDEX") {
    for (const { item } of items) {
      const contentKey = parts.vault.keyOf(item.recordId!);
      const leaf = entries.leaf(item);
      const content = { recordId: item.recordId!, contentKey, cid: item.cid!, leaf };
      answer.capsules.push(await sealCapsule({ ...binding, ...permission.reader, ...content }));
      contentKey.fill(0);
    }
  }
  return parts.vault.putRelease(accessId, JSON.stringify(answer));
}

interface Releasable {
  item: JournalItem;
  status: number;
}

/** The entries that the access reaches, each checked against scope, terms and its status on chain. */
async function releasable(parts: ReleaseParts, access: AccessEvent, permission: Permission): Promise<Releasable[]> {
  const { journal, chain, memberId } = parts;
  const named = access.extent === "RECORDS";
  const items = named
    ? access.indices.map((index) => journal.itemAt(index)).filter((item) => item !== undefined)
    : journal.itemsOfPatient(access.patientId, access.scope!.upTo);
  if (named && items.length !== access.indices.length) {
    throw new ChartsealError("ERR_CAPSULE_REFUSED", "the journal does not hold every entry that was asked for", {
      values: { accessId: access.accessId },
      hint: "run `chartseal doctor` at the custodian",
    });
  }
  const found: Releasable[] = [];
  for (const item of items) {
    const leaf = new Entries(journal, memberId).leaf(item);
    const reason = outside(leaf, access, permission);
    if (reason !== undefined && named) throw refused(access, `entry ${leaf.index} ${reason}`);
    if (reason !== undefined) continue;
    const status = Number(await chain.ask(() => chain.records.statusOf(memberId, leaf.index)));
    if ((status & WITHDRAWN) === 0) found.push({ item, status });
    else if (named) throw refused(access, `entry ${leaf.index} was withdrawn`);
  }
  return found;
}

function outside(leaf: Leaf, access: AccessEvent, { terms, compartments }: Permission): string | undefined {
  const { scope } = access;
  const permitted = scope === undefined ? compartments : compartments & scope.compartments;
  const from = Math.max(terms.recordedFrom, scope?.recordedFrom ?? 0);
  const to = Math.min(terms.recordedTo, scope?.recordedTo ?? terms.recordedTo);
  if (leaf.patientId !== access.patientId) return "is another patient's";
  if (((permitted >> BigInt(leaf.compartment)) & 1n) === 0n) return "is in a compartment that is not permitted";
  if (leaf.recordedDay < from || leaf.recordedDay > to) return "is of a day that is not permitted";
  return undefined;
}

function pageOf({ journal }: ReleaseParts, entries: Entries, items: readonly Releasable[]): string {
  const batches = new Map<number, PageBatch>();
  const listed = items.map(({ item, status }): ChartEntry => {
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
      ...entries.of(item),
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

// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { TypedDataEncoder } from "ethers";
import type { Chain } from "../chain/index.js";
import { LeafKind, fromHex, toHex, type Hex } from "../crypto/index.js";
import { requireFormat } from "../errors.js";
import { Entries } from "../records/index.js";
import type { Vault } from "../vault/index.js";
import { countToday, type KnownWindow } from "./known-windows.js";
import { requireKnown, type LastKnown } from "./last-known.js";
import {
  emergencyReleaseData,
  latePermission,
  lateRefusal,
  type EmergencyRelease,
  type LatePermission,
} from "./late-permission.js";
import { receiptDocument, receiptText } from "./access-receipt.js";
import type { LateRequest, Release } from "./message-bodies.js";
import { makeRelease, type ReleaseParts } from "./release.js";
import type { Releasable } from "./releasable.js";

/** A release as the vault keeps it, with all that is filed on chain. */
export interface KeptLateRelease extends Omit<LateRequest, "accessId" | "publicKey"> {
  windowId: Hex;
  /** Unix seconds by our own clock. */
  releasedAt: number;
  /** SHA-256 of `release`. */
  releaseDigest: Hex;
  /** Of the two, for the quotas. */
  member: number;
  persons: [Hex, Hex];
  /** Log indices of the entries in it. */
  indices: number[];
  /** Empty once one of them was erased. */
  release: string;
  /** Why it can be filed no more. */
  neverFiled?: NeverFiled;
}

/** What the contract said for good, and when: the receipt in the record log stays the only trace. */
export interface NeverFiled {
  reason: string;
  /** Unix seconds by our own clock. */
  at: number;
}

/** The id that the window will have on chain: the struct hash of what the two signed. */
export function lateWindowId(chain: Chain, release: EmergencyRelease): Hex {
  const { types, message } = emergencyReleaseData(chain, release);
  return TypedDataEncoder.hashStruct("EmergencyRelease", types, message) as Hex;
}

export function keptLateReleases(vault: Vault): KeptLateRelease[] {
  return vault.releases.unfiled().map(({ json }) => parseKept(json));
}

/**
 * Releases a patient's records while the chain is down, or gives what was released. It is durable, with both
 * signatures and its receipt, before it is returned: no key leaves that is not filed on chain later.
 * @returns the release as JSON
 * @throws ERR_CAPSULE_REFUSED with the reason
 */
export async function lateRelease(parts: ReleaseParts, request: LateRequest): Promise<string> {
  const { vault } = parts;
  const { known, now, permission } = permitLate(parts, request);
  const windowId = request.accessId;
  const kept = keptLateReleases(vault);
  const before = kept.find((made) => made.windowId === windowId);
  if (before !== undefined) return await handOut(parts, before);
  requireQuotas(known, kept, permission, now);
  const items = releasableWithoutChain(parts, request.patientId, permission.compartments);
  const made = await makeRelease(parts, { accessId: windowId, extent: "CHART" }, permission, items);
  const release = JSON.stringify(made);
  const { patientId, initiator, colleague, reasonDigest, nonce, deadline } = request;
  const { initiatorSignature, colleagueSignature } = request;
  const keep: KeptLateRelease = {
    format: 1,
    windowId,
    patientId,
    initiator,
    colleague,
    reasonDigest,
    nonce,
    deadline,
    initiatorSignature,
    colleagueSignature,
    releasedAt: now,
    releaseDigest: toHex(createHash("sha256").update(release, "utf8").digest()),
    member: permission.initiator.memberId,
    persons: [permission.initiator.personId, permission.colleague.personId],
    indices: items.map(({ entry }) => entry.leaf.index),
    release,
  };
  // Of two agents at once, both serve what the first one stored.
  return await handOut(parts, parseKept(vault.releases.putUnfiled(windowId, JSON.stringify(keep))));
}

/** Nothing leaves before its receipt is safe. @throws ERR_CAPSULE_REFUSED when an entry of it was erased since */
async function handOut({ fileReceipt }: ReleaseParts, kept: KeptLateRelease): Promise<string> {
  const release = stillWhole(kept);
  const { windowId: accessId, patientId, indices, releasedAt } = kept;
  const made = JSON.parse(release) as Release;
  const text = receiptText({ accessId, extent: "CHART" }, made, indices, release, releasedAt);
  await fileReceipt(receiptDocument({ accessId, patientId }, text));
  return release;
}

/** @throws ERR_CAPSULE_REFUSED when an entry of it was erased since */
function stillWhole({ release }: KeptLateRelease): string {
  if (release !== "") return release;
  throw lateRefusal("a record of this release was erased since: break the glass again");
}

/** Whom an entry was released to while the chain was down, filed by now or not. */
export function lateReleasesOf(vault: Vault, index: number): KeptLateRelease[] {
  const found: KeptLateRelease[] = [];
  vault.releases.each((json) => {
    const kept = JSON.parse(json) as Partial<KeptLateRelease>;
    if (kept.windowId !== undefined && kept.indices?.includes(index) === true) found.push(parseKept(json));
    return undefined;
  });
  return found;
}

/** Holds a request against what is last known. Releases nothing. @throws ERR_CAPSULE_REFUSED */
export function permitLate(
  { vault, chain, memberId: custodian }: Pick<ReleaseParts, "vault" | "chain" | "memberId">,
  request: LateRequest,
): { known: LastKnown; now: number; permission: LatePermission } {
  const known = requireKnown(vault, chain);
  const now = Math.floor(Date.now() / 1000);
  const publicKey = fromHex(request.publicKey);
  const told = vault.withdrawals.of(request.patientId);
  const permission = latePermission(chain, known, request, { custodian, publicKey, now, told });
  return { known, now, permission };
}

export function parseKept(json: string): KeptLateRelease {
  const kept = JSON.parse(json) as KeptLateRelease;
  requireFormat(kept, "the stored late release");
  return kept;
}

/** The day's as on chain, counted over what the chain last showed, and what this agent released and could not file yet. */
function requireQuotas(
  known: LastKnown,
  unfiled: readonly KeptLateRelease[],
  { initiator, colleague }: LatePermission,
  now: number,
): void {
  const windows = new Map(known.windows);
  for (const kept of unfiled) windows.set(kept.windowId, windowOf(kept));
  for (const { personId } of [initiator, colleague]) {
    if (countToday(windows.values(), { personId }, now) >= known.personQuota)
      throw lateRefusal("one of the two used up the emergencies of a day");
  }
  const { memberId } = initiator;
  if (countToday(windows.values(), { memberId }, now) >= known.memberQuota)
    throw lateRefusal("their hospital used up the emergencies of a day");
}

/** As the quotas count it. */
export function windowOf({ releasedAt: at, member, persons }: KeptLateRelease): KnownWindow {
  return { at, member, persons };
}

/**
 * The patient's records by this member's own journal: no root can be asked for. What it retracted is left out; who can
 * write the journal's file cannot alter a row unseen, but could put back one as it was before.
 */
function releasableWithoutChain(
  { journal, memberId }: ReleaseParts,
  patientId: Hex,
  compartments: bigint,
): Releasable[] {
  const entries = new Entries(journal, memberId);
  const items = journal.itemsOfPatient(patientId).filter((item) => {
    const { kind, compartment } = entries.leaf(item);
    return (
      !item.retracted &&
      item.withdrawn === undefined &&
      !item.erased &&
      kind === LeafKind.RECORD &&
      ((compartments >> BigInt(compartment)) & 1n) === 1n
    );
  });
  if (items.length === 0) throw lateRefusal("there is no record of this patient here that may be shown");
  return items.map((item) => ({ item, entry: entries.of(item), status: 0 }));
}

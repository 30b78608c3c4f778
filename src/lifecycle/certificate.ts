// SPDX-License-Identifier: Apache-2.0
import { lateReleasesOf } from "../access/index.js";
import { disclosures, type Accessed } from "../audit/index.js";
import type { Chain } from "../chain/index.js";
import type { Hex, Leaf } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Backup, Vault } from "../vault/index.js";

/** Who or what permits an erasure: IRecordRegistry.ErasureGround, in its order. */
export const GROUNDS = ["patient", "reviewer", "retention"] as const;
export type Ground = (typeof GROUNDS)[number];

/** Whom an entry was opened or listed to. */
type Reached = Pick<Accessed, "accessId" | "memberId" | "reader" | "purpose" | "extent" | "at">;

/** Body of an ERASURE_CERTIFICATE leaf, format 1. It says when through its leaf; equal facts give equal bytes. */
export interface ErasureCertificate {
  format: 1;
  ground: Ground;
  erased: Pick<Leaf, "memberId" | "index" | "patientId" | "patientSeq" | "contentDigest"> & { cid: string };
  cannotBeRecalled: {
    /** Accesses that reached the entry: what they opened or listed cannot be unread. */
    accesses: Reached[];
    /** Backups that hold its wrapped key, until they expire or their key-encryption key is destroyed. */
    backups: Pick<Backup, "id" | "madeAt" | "expiresAt">[];
  };
}

/** Up to when accesses and backups count: an entry that is marked as erased is in none that came later. */
export interface Horizon {
  blockNumber: number;
  /** Unix seconds. */
  at: number;
}

/** The certificate of what is known now. @throws ERR_CHAIN_MISMATCH when the node hides accesses */
export async function certificateOf(
  chain: Chain,
  { leaf, cid }: { leaf: Leaf; cid: string },
  ground: Ground,
  { vault, horizon }: { vault: Vault; horizon: Horizon },
): Promise<ErasureCertificate> {
  const { memberId, index, patientId, patientSeq, contentDigest } = leaf;
  const audit = await disclosures({ chain, patient: patientId });
  if (!audit.complete) {
    throw new ChartsealError("ERR_CHAIN_MISMATCH", "the node does not show all accesses of the patient", {
      values: { patientId },
      hint: "a certificate names them all; sync the node again",
    });
  }
  const accesses = audit.entries.filter(
    (entry) => entry.kind === "access" && entry.blockNumber <= horizon.blockNumber && reaches(entry, leaf),
  );
  const isMeant = ({ madeAt, expiresAt }: Backup) => madeAt <= horizon.at && expiresAt > horizon.at;
  return {
    format: 1,
    ground,
    erased: { memberId, index, patientId, patientSeq, contentDigest, cid },
    cannotBeRecalled: {
      accesses: [
        ...(accesses as Accessed[]).map(reachedBy),
        ...lateReleasesOf(vault, leaf.index).map(reachedLate),
      ],
      backups: vault.backups
        .all()
        .filter(isMeant)
        .map(({ id, madeAt, expiresAt }) => ({ id, madeAt, expiresAt })),
    },
  };
}

function reaches({ indices, scope }: Accessed, leaf: Leaf): boolean {
  if (scope === undefined) return indices.includes(leaf.index);
  return (
    scope.compartments.includes(leaf.compartment) &&
    leaf.recordedDay >= scope.recordedFrom &&
    leaf.recordedDay <= scope.recordedTo &&
    leaf.index <= scope.upTo
  );
}

function reachedBy({ accessId, memberId, reader, purpose, extent, at }: Accessed): Reached {
  return { accessId, memberId, reader, purpose, extent, at };
}

/** While the chain was down: its window's id stands for the access. */
function reachedLate({
  windowId,
  member,
  initiator,
  releasedAt,
}: ReturnType<typeof lateReleasesOf>[number]): Reached {
  const access = { accessId: windowId, memberId: member, reader: initiator.toLowerCase() as Hex };
  return { ...access, purpose: "BTG", extent: "CHART", at: releasedAt };
}

// SPDX-License-Identifier: Apache-2.0
import type { LeafKind, Hex } from "../crypto/index.js";
import type { PendingItem } from "./archive-pending.js";

/** An entry of the patient's, in the archive's manifest. */
export interface ArchiveEntry {
  index: number;
  patientId: Hex;
  patientSeq: number;
  kind: keyof typeof LeafKind;
  /** Name of the compartment that it is filed in. */
  compartment: string;
  status: string[];
  receipt: string;
  /** Why there is no content: it was erased, entered in error (marked on chain, or taken back), or an error code. */
  withheld?: string;
  content?: {
    file: string;
    sealed: string;
    recordId: Hex;
    contentKey: Hex;
    label: string;
    mediaType: string;
    recordedAt?: string;
  };
}

/** manifest.json of an archive, format 1. */
export interface ArchiveManifest {
  format: 1;
  /** ISO 8601. */
  exportedAt: string;
  chainId: number;
  /** RecordRegistry. */
  contract: Hex;
  memberId: number;
  member: string;
  patients: Hex[];
  entries: ArchiveEntry[];
  /** What is his and is not anchored: no receipt proves it. */
  pending: PendingItem[];
}

// SPDX-License-Identifier: Apache-2.0
import type { ChartsealError } from "../errors.js";

/** `PatientRef.system` of a FHIR reference: `Patient/123` is `{ system: FHIR_PATIENT, value: "123" }`. */
export const FHIR_PATIENT = "fhir:Patient";

/** `PatientRef.system` of a DICOM PatientID whose issuer the file does not name. */
export const DICOM_PATIENT = "dicom:PatientID";

/**
 * One identifier of one person.
 *
 * A business identifier keeps its own system ("" when the source gives none). A FHIR reference has the
 * system `fhir:Patient` and as value the logical id (`123`), or, when the reference says more than the id,
 * the whole of it: an absolute URL, `urn:uuid:...`, or a contained `#p1` that no identifier names better.
 */
export interface PatientRef {
  readonly system: string;
  readonly value: string;
}

/** Two identifier lists of a message about who is who: that of the retired or second person, and that of the first. */
export interface IdentityPair {
  readonly from: readonly PatientRef[];
  readonly into: readonly PatientRef[];
}

/** What an item says became of other records, or of who is who. */
export type ItemEvent =
  /**
   * What was taken under the item's own source key, or under what the same item was known by before, is wrong;
   * `itself`: so is all that the item repeats of it.
   */
  | { readonly kind: "withdraw"; readonly itself: boolean; readonly formerKeys?: readonly string[] }
  /** What was taken under these source keys was deleted in the source. */
  | { readonly kind: "delete"; readonly keys: readonly string[] }
  /** Two identifier lists are one person's, or are not any more. */
  | { readonly kind: "merge" | "unlink"; readonly pairs: readonly IdentityPair[] }
  /** A person has to say what follows of it. */
  | { readonly kind: "ask" };

/** One record as a source gives it. */
export interface SourceItem {
  /** What the item is known by: `Observation/123` for FHIR, else where it came from. The same key with other bytes amends. */
  readonly sourceKey: string;
  /** For people: the path, `path#entry 12` or `path#line 7`, counted from 1. May hold a patient's name. */
  readonly label: string;
  /** Path inside the folder (POSIX separators, Unicode NFC), or the name given to a stream. Rules match it. */
  readonly path: string;
  /** By content, then by extension: `application/fhir+json`, `application/dicom`, `text/plain`, ... */
  readonly mediaType: string;
  /** FHIR resource type. */
  readonly resourceType?: string;
  /** Character encoding, where the bytes show it: `utf-8`. */
  readonly encoding?: string;
  /** FHIR reference of who wrote it (`Practitioner/7`), else an identifier `system|value` or a display name. */
  readonly author?: string;
  /** FHIR date, dateTime or instant exactly as in the source (HL7 v2 in FHIR's form); may be only a year or month. */
  readonly recordedAt?: string;
  /** Bytes. */
  readonly size: number;
  /** The exact bytes, held when there are at most 1 MiB of them. */
  readonly bytes?: Uint8Array;
  /**
   * Streams the exact bytes; may be called more than once. A piece is gone once the next is asked for.
   * @throws ERR_SOURCE_CHANGED when the file is gone.
   */
  open(): AsyncIterable<Uint8Array>;
  /** Whom the item names: one inner list per distinct person, his identifiers inside. `[]` = nobody. */
  readonly subjects: readonly (readonly PatientRef[])[];
  /** The custodian's own: it goes under the administrative id unless a rule says otherwise. */
  readonly administrative?: boolean;
  /**
   * Source keys of what this item takes the place of, when its own key is new: the first that is known is amended. The
   * same bytes under one of them are this item.
   */
  readonly replaces?: readonly string[];
  readonly event?: ItemEvent;
}

/** What a source yields in place of an item it cannot take: one bad item never stops the rest. */
export interface BadItem {
  readonly label: string;
  readonly error: ChartsealError;
}

export function isBadItem(item: SourceItem | BadItem): item is BadItem {
  return "error" in item;
}

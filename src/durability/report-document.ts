// SPDX-License-Identifier: Apache-2.0
import { LeafKind, indexRef, type Hex } from "../crypto/index.js";
import type { SupportingDocument } from "../ingest/index.js";
import type { DurabilityReport } from "./audit.js";

/** What is anchored of an audit. It is about no patient, so it stands under the administrative id. */
export function reportDocument(report: DurabilityReport, administrativeId: Hex): SupportingDocument {
  return {
    kind: LeafKind.DURABILITY_REPORT,
    patientId: administrativeId,
    ref: indexRef(report.upTo),
    mediaType: "application/json",
    label: `durability report up to entry ${report.upTo}`,
    bytes: Buffer.from(`${JSON.stringify(report, null, 2)}\n`),
  };
}

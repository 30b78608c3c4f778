// SPDX-License-Identifier: Apache-2.0
export { archiveFiles, type ArchiveParts } from "./archive.js";
export type { ArchiveEntry, ArchiveManifest } from "./archive-manifest.js";
export { retentionEnded, type RetainedEntry, type RetentionParts } from "./retention.js";
export { ZipFile, zipOf, type ArchiveFile } from "./zip.js";
export { copyBodies, holdsWhole, type BodyCopies } from "./body-copies.js";
export { GROUNDS, type ErasureCertificate, type Ground } from "./certificate.js";
export { erasedOnChain } from "./erasure-marks.js";
export { Erasures, isAnchored, type Erased, type ErasureAct, type Permit } from "./erasures.js";
export { Holds, type HeldEntry, type HoldAct } from "./holds.js";

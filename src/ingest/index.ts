// SPDX-License-Identifier: Apache-2.0
export { anchorDocument, fileDocument } from "./documents.js";
export type { AnchorDocumentOptions, SupportingDocument } from "./documents.js";
export { ingest, retry } from "./ingest.js";
export { emptyResult } from "./ingest-run.js";
export { openEvents, settleEvent } from "./persons.js";
export { countUnretracted } from "./retract.js";
export type { IngestOptions, IngestParts, IngestProgress, IngestResult } from "./ingest-run.js";
export { isKnown } from "./intake.js";
export type { Became } from "./intake-outcome.js";
export { LiveIntake } from "./live/live-intake.js";
export type { LiveEvents, LiveOptions } from "./live/live-options.js";
export { RETRY_AFTER, type Admission, type Room } from "./live/room.js";
export type { Lag, LagFigures } from "./lag.js";
export {
  bundleSource,
  fileItems,
  fileSource,
  folderSource,
  hl7Item,
  isSkipped,
  jsonItems,
  ndjsonSource,
  sourceFor,
  stdinSource,
} from "./sources/index.js";
export type { Source, SourceOptions } from "./sources/index.js";

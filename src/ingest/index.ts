// SPDX-License-Identifier: Apache-2.0
export { anchorDocument, fileDocument } from "./documents.js";
export type { AnchorDocumentOptions, SupportingDocument } from "./documents.js";
export { ingest, retry } from "./ingest.js";
export { emptyResult } from "./ingest-run.js";
export { openEvents, settleEvent } from "./persons.js";
export { countUnretracted } from "./retract.js";
export type { IngestOptions, IngestParts, IngestProgress, IngestResult } from "./ingest-run.js";
export type { Lag, LagFigures } from "./lag.js";
export {
  bundleSource,
  fileSource,
  folderSource,
  ndjsonSource,
  sourceFor,
  stdinSource,
} from "./sources/index.js";
export type { Source, SourceOptions } from "./sources/index.js";

// SPDX-License-Identifier: Apache-2.0
export { bundleSource, fileSource } from "./bundle.js";
export type { FileOptions } from "./bundle.js";
export { sourceFor } from "./detect.js";
export { fileItems } from "./file-items.js";
export { folderSource, isSkipped } from "./folder.js";
export { hl7Item } from "./hl7-items.js";
export { jsonItems } from "./json-items.js";
export { ndjsonSource } from "./ndjson.js";
export type { Source, SourceOptions } from "./source.js";
export { stdinSource } from "./stdin.js";
export type { StreamOptions } from "./stdin.js";

// SPDX-License-Identifier: Apache-2.0
export { bundleSource, fileSource } from "./bundle.js";
export type { FileOptions } from "./bundle.js";
export { sourceFor } from "./detect.js";
export { folderSource } from "./folder.js";
export { ndjsonSource } from "./ndjson.js";
export type { Source, SourceOptions } from "./source.js";
export { stdinSource } from "./stdin.js";
export type { StreamOptions } from "./stdin.js";

// SPDX-License-Identifier: Apache-2.0
export type { BlobStore, ByteRange, PutOptions, Stored, Verification } from "./blob-store.js";
export { cidOfBytes, cidOfDigest } from "./cid.js";
export type { BuiltCid, ParsedCid } from "./cid.js";
export { openEmbeddedStore, type EmbeddedStoreOptions } from "./embedded.js";
export type { Hazard, KuboInspection } from "./kubo-inspect.js";
export { inspectNode, openStore, type OpenStoreOptions } from "./open-store.js";
export {
  foldersOf,
  nodesOf,
  storeConfigOf,
  storeName,
  storeSchema,
  type EmbeddedConfig,
  type KuboConfig,
  type StoreConfig,
} from "./store-config.js";
export { importCar, type CarImport, type CarImportOptions } from "./car-import.js";
export { MOST_CAR_BODIES, exportCar, type CarExportOptions } from "./car-write.js";
export { CidSet } from "./cid-set.js";
export { ReplicatedStore, openReplicatedStore, type Replica, type ReplicatedOptions } from "./replicated.js";
export type { Presence } from "./merged-lists.js";

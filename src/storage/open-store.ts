// SPDX-License-Identifier: Apache-2.0
import type { BlobStore } from "./blob-store.js";
import { openEmbeddedStore } from "./embedded.js";
import type { KuboInspection } from "./kubo-inspect.js";
import { openReplicatedStore } from "./replicated.js";
import { storeName, type KuboConfig, type StoreConfig } from "./store-config.js";

export interface OpenStoreOptions {
  /** Only reads; an embedded store must exist. Default false. */
  readOnly?: boolean;
}

/**
 * Opens the store that chartseal.json names.
 * @throws ERR_CONFIG_INVALID, ERR_FORMAT_UNSUPPORTED, ERR_STORE_FAILED, ERR_STORE_FULL, ERR_TIMEOUT
 * @example
 * await using store = await openStore((await loadConfig("a/chartseal.json")).store);
 */
export async function openStore(config: StoreConfig, options: OpenStoreOptions = {}): Promise<BlobStore> {
  switch (config.kind) {
    case "embedded":
      return await openEmbeddedStore(config.folder, options);
    case "replicated":
      return openReplicatedStore(
        config.replicas.map((replica) => ({
          name: storeName(replica),
          open: () => openStore(replica, options),
        })),
        { write: config.write },
      );
    case "kubo": {
      // Loaded when it is used: most members have none.
      const { openKuboStore } = await import("./kubo.js");
      return await openKuboStore({ ...config, ...options });
    }
  }
}

/**
 * Whether a member's Kubo node answers, and what its set-up risks.
 * @throws ERR_CONFIG_INVALID, ERR_STORE_FAILED, ERR_TIMEOUT when it does not answer as it should
 */
export async function inspectNode(config: KuboConfig): Promise<KuboInspection> {
  const { inspectKubo } = await import("./kubo-inspect.js");
  return await inspectKubo(config);
}

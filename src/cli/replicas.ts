// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../chartseal.js";
import { ReplicatedStore, storeName, type Replica } from "../storage/index.js";

/** The stores that hold a member's bodies, each by itself: one, if it is not replicated. */
export function replicasOf({ store, config }: Pick<Chartseal, "store" | "config">): readonly Replica[] {
  if (store instanceof ReplicatedStore) return store.replicas;
  const name = config.store.kind === "replicated" ? "store" : storeName(config.store);
  return [{ name, store }];
}

// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { erasedBodies, whyUnreachable } from "../../durability/index.js";
import type { Journal } from "../../records/index.js";
import {
  ReplicatedStore,
  foldersOf,
  openStore,
  type Replica,
  type StoreConfig,
} from "../../storage/index.js";
import type { Vault } from "../../vault/index.js";
import type { Diagnosis } from "./diagnosis.js";

const CHECK = "replicas";

/** Which replicas answer, and whether they hold the same; and whether what was erased is gone from all. */
export async function checkReplicas(
  diagnosis: Diagnosis,
  config: StoreConfig,
  { journal, vault }: { journal: Journal; vault: Vault },
): Promise<void> {
  // The first ingest makes the folders.
  const unmade = foldersOf(config).some((folder) => !existsSync(folder));
  if (journal.batches().length === 0 && unmade) return;
  await using store = await openStore(config, { readOnly: true });
  const erased = erasedBodies(journal, vault);
  let left = 0;
  if (store instanceof ReplicatedStore) {
    const answering = await answeringReplicas(diagnosis, store);
    left = await compareLists(diagnosis, answering, erased);
  } else for (const cid of erased) if (await store.has(cid)) left++;
  if (left > 0) {
    diagnosis.fail(
      CHECK,
      `${left} bodies of erased entries are still held`,
      "`chartseal store gc` removes them",
    );
  }
}

async function answeringReplicas(diagnosis: Diagnosis, store: ReplicatedStore): Promise<Replica[]> {
  const answering: Replica[] = [];
  const silent: { name: string; message: string }[] = [];
  for (const replica of store.replicas) {
    const error = await whyUnreachable(replica);
    if (error === undefined) answering.push(replica);
    else silent.push({ name: replica.name, message: error.message });
  }
  const enough = answering.length >= store.write;
  for (const { name, message } of silent) {
    const hint = `bring it back, then \`chartseal store repair\`${enough ? "" : ": nothing can be stored until then"}`;
    diagnosis[enough ? "warn" : "fail"](CHECK, `${name} does not answer: ${message}`, hint);
  }
  return answering;
}

/** @returns how many bodies of erased entries are still held */
async function compareLists(
  diagnosis: Diagnosis,
  replicas: readonly Replica[],
  erased: ReadonlySet<string>,
): Promise<number> {
  const held = replicas.map(() => 0);
  let all = 0;
  let left = 0;
  for await (const { cid, holders } of new ReplicatedStore(replicas, 1).presence()) {
    if (erased.has(cid)) {
      left++;
      continue;
    }
    all++;
    for (const place of holders) held[place]!++;
  }
  for (const [place, { name }] of replicas.entries()) {
    const lacks = all - held[place]!;
    if (lacks === 0) diagnosis.ok(CHECK, `${name} lists all ${all} bodies`);
    else
      diagnosis.warn(
        CHECK,
        `${name} lacks ${lacks} of ${all} bodies`,
        "`chartseal store repair` copies them",
      );
  }
  return left;
}

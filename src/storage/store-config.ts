// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { z } from "zod";
import { isEncryptedOrLocal } from "../loopback.js";

/** Longest wait for a Kubo node, seconds: a day. */
const LONGEST_TIMEOUT = 86_400;

/** Each put goes to all of them at once. */
const MOST_REPLICAS = 8;

const rpcAddress = z
  .url({ protocol: /^https?$/ })
  .refine(isEncryptedOrLocal, { message: "http only to this machine; use https" })
  .refine(isBare, { message: "no user name, password, query or fragment" });

const kuboSchema = z.strictObject({
  rpc: rpcAddress,
  tokenFile: z.string().min(1).optional(),
  timeout: z.int().min(1).max(LONGEST_TIMEOUT).optional(),
  fromPeers: z.boolean().optional(),
});

const placeSchema = z.strictObject({ folder: z.string().min(1), kubo: kuboSchema }).partial();
type PlaceObject = z.output<typeof placeSchema>;

const replicaSchema = z.preprocess(
  folderAlone,
  placeSchema.refine(isOne, { message: "give one of: folder, kubo" }),
) as z.ZodType<PlaceObject, string | z.input<typeof placeSchema>>;

const objectSchema = placeSchema
  .extend({
    replicas: z.array(replicaSchema).min(2).max(MOST_REPLICAS).refine(areDifferent, "two are the same store"),
    write: z.int().min(1),
  })
  .partial()
  .refine(({ write: _, ...store }) => isOne(store), { message: "give one of: folder, kubo, replicas" })
  .refine(({ replicas, write }) => (replicas === undefined) === (write === undefined), {
    message: "replicas and write go together",
  })
  .refine(({ replicas = [], write = 0 }) => write <= replicas.length, {
    message: "write is at most the count of replicas",
  });

type StoreObject = z.output<typeof objectSchema>;

/** `store` of chartseal.json: a folder alone, or an object that says of which kind the store is. */
export const storeSchema = z.preprocess(folderAlone, objectSchema) as z.ZodType<
  StoreObject,
  string | z.input<typeof objectSchema>
>;

/** Bodies in a folder of this machine. */
export interface EmbeddedConfig {
  kind: "embedded";
  /** Absolute path. */
  folder: string;
}

/** Bodies at an IPFS node. */
export interface KuboConfig {
  kind: "kubo";
  /** Where the node's RPC answers: who reaches it controls the node. Plain http only to this machine. */
  rpc: string;
  /** Absolute path of the file that holds the bearer token. */
  tokenFile?: string;
  /** Milliseconds that the node may keep a call waiting. */
  timeoutMs?: number;
  /** Whether a body that this node lacks is asked of its peers. */
  fromPeers?: boolean;
}

/** Every body in each of several stores. */
export interface ReplicatedConfig {
  kind: "replicated";
  replicas: (EmbeddedConfig | KuboConfig)[];
  /** In how many of them a body must be durable before it counts as stored. */
  write: number;
}

/** Where a member's bodies are. */
export type StoreConfig = EmbeddedConfig | KuboConfig | ReplicatedConfig;

/** @param at makes a path of the file absolute */
export function storeConfigOf(store: StoreObject, at: (path: string) => string): StoreConfig {
  const { replicas, write } = store;
  if (replicas === undefined || write === undefined) return placeOf(store, at);
  return { kind: "replicated", replicas: replicas.map((replica) => placeOf(replica, at)), write };
}

function placeOf({ folder, kubo }: PlaceObject, at: (path: string) => string): EmbeddedConfig | KuboConfig {
  if (kubo === undefined) return { kind: "embedded", folder: at(folder!) };
  const { rpc, tokenFile, timeout, fromPeers } = kubo;
  return {
    kind: "kubo",
    rpc,
    ...(tokenFile === undefined ? {} : { tokenFile: at(tokenFile) }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout * 1_000 }),
    ...(fromPeers === undefined ? {} : { fromPeers }),
  };
}

/** Where the store's files are on this machine: nowhere, if a node keeps them. */
export function foldersOf(store: StoreConfig): string[] {
  if (store.kind === "replicated") return store.replicas.flatMap(foldersOf);
  return store.kind === "embedded" ? [store.folder] : [];
}

/** The store, for people: a folder, or a node's address. */
export function storeName(store: EmbeddedConfig | KuboConfig): string {
  return store.kind === "embedded" ? store.folder : store.rpc;
}

/** The IPFS nodes that a store asks. */
export function nodesOf(store: StoreConfig): KuboConfig[] {
  if (store.kind === "replicated") return store.replicas.flatMap(nodesOf);
  return store.kind === "kubo" ? [store] : [];
}

function folderAlone(value: unknown): unknown {
  return typeof value === "string" ? { folder: value } : value;
}

function isOne(store: object): boolean {
  return Object.values(store).filter((value) => value !== undefined).length === 1;
}

/** Two copies in one place are one copy. */
function areDifferent(replicas: PlaceObject[]): boolean {
  const places = replicas.map(({ folder, kubo }) =>
    folder === undefined ? kubo?.rpc.replace(/\/$/, "") : resolve(folder),
  );
  return new Set(places).size === places.length;
}

function isBare(text: string): boolean {
  if (!URL.canParse(text)) return true; // named as that
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === "";
}

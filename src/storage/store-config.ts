// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { isEncryptedOrLocal } from "../loopback.js";

/** Longest wait for a Kubo node, seconds: a day. */
const LONGEST_TIMEOUT = 86_400;

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

const objectSchema = z
  .strictObject({ folder: z.string().min(1), kubo: kuboSchema })
  .partial()
  .refine((store) => Object.values(store).filter((value) => value !== undefined).length === 1, {
    message: "give one of: folder, kubo",
  });

type StoreObject = z.output<typeof objectSchema>;

/** `store` of chartseal.json: a folder alone, or an object that says of which kind the store is. */
export const storeSchema = z.preprocess(
  (value) => (typeof value === "string" ? { folder: value } : value),
  objectSchema,
) as z.ZodType<StoreObject, string | z.input<typeof objectSchema>>;

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

/** Where a member's bodies are. */
export type StoreConfig = EmbeddedConfig | KuboConfig;

/** @param at makes a path of the file absolute */
export function storeConfigOf({ folder, kubo }: StoreObject, at: (path: string) => string): StoreConfig {
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
  return store.kind === "embedded" ? [store.folder] : [];
}

/** The IPFS nodes that a store asks. */
export function nodesOf(store: StoreConfig): KuboConfig[] {
  return store.kind === "kubo" ? [store] : [];
}

function isBare(text: string): boolean {
  if (!URL.canParse(text)) return true; // named as that
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === "";
}

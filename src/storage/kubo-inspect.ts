// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { ChartsealError } from "../errors.js";
import type { KuboNode } from "./kubo-node.js";
import { openKubo } from "./kubo.js";
import type { KuboConfig } from "./store-config.js";

/** Kubo since 0.35 cuts large bodies as the profile says; older ones answer with other CIDs. */
const OLDEST_MINOR = 35;

/** What is wrong with a node's set-up. */
export interface Hazard {
  /** Whether bodies may be lost or the node be taken over; else it is only less closed than it should be. */
  grave: boolean;
  detail: string;
  hint: string;
}

export interface KuboInspection {
  version: string;
  hazards: Hazard[];
}

const settingsSchema = z.object({
  Addresses: z.object({ API: z.unknown(), Gateway: z.unknown() }).partial(),
  Bootstrap: z.array(z.string()).nullish(),
  Datastore: z.object({ Spec: z.unknown(), BlockKeyCacheSize: z.int().nullish() }).partial(),
  Gateway: z.object({ NoFetch: z.boolean() }).partial(),
  Routing: z.object({ Type: z.string().nullish() }).partial(),
});
type KuboSettings = z.output<typeof settingsSchema>;

/**
 * Looks at how a member's Kubo node is set up.
 * @throws as {@link KuboNode} when it cannot be asked
 */
export async function inspectKubo(config: KuboConfig): Promise<KuboInspection> {
  await using node = await openKubo(config);
  const version = await node.version();
  const hazards: Hazard[] = [];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 0 && minor < OLDEST_MINOR) {
    hazards.push({
      grave: true,
      detail: `Kubo ${version} cuts large bodies otherwise than the profile`,
      hint: "run the version that network/kubo/go.mod pins",
    });
  }
  return { version, hazards: [...hazards, ...(await settingsHazards(node))] };
}

async function settingsHazards(node: KuboNode): Promise<Hazard[]> {
  let settings: unknown;
  try {
    settings = await node.settings();
  } catch (error) {
    if (!(error instanceof ChartsealError) || error.code !== "ERR_CONFIG_INVALID") throw error;
    return [
      {
        grave: false,
        detail: "this member's token does not show the node's settings, so nobody looked at them",
        hint: "add /api/v0/config/show to the token's AllowedPaths",
      },
    ];
  }
  const parsed = settingsSchema.safeParse(settings);
  if (parsed.success) return hazardsOf(parsed.data);
  return [{ grave: false, detail: "the node's settings are not as Kubo writes them", hint: "look at them" }];
}

/** What a node's settings risk; network/kubo/README.md says why each matters. */
export function hazardsOf({ Addresses, Bootstrap, Datastore, Gateway, Routing }: KuboSettings): Hazard[] {
  const hazards: Hazard[] = [];
  const open = listOf(Addresses.API).filter((address) => !isLocal(address));
  if (open.length > 0) {
    hazards.push({
      grave: true,
      detail: `the RPC listens on ${open.join(", ")}: who reaches it owns the node`,
      hint: "set Addresses.API to /ip4/127.0.0.1/tcp/5001",
    });
  }
  if (!isSynchronous(Datastore.Spec)) {
    hazards.push({
      grave: true,
      detail: "the node answers before its blocks are on the disk",
      hint: 'set "sync": true at /blocks of Datastore.Spec, and start the node anew',
    });
  }
  if (Datastore.BlockKeyCacheSize !== 0) {
    hazards.push({
      grave: false,
      detail: "the node does not write a block again that it remembers: putting a body again repairs nothing",
      hint: "set Datastore.BlockKeyCacheSize to 0",
    });
  }
  const gateways = listOf(Addresses.Gateway);
  if (gateways.length > 0 && (gateways.some((address) => !isLocal(address)) || Gateway.NoFetch !== true)) {
    hazards.push({
      grave: false,
      detail: `a gateway on ${gateways.join(", ")} gives bodies to whoever knows their CIDs`,
      hint: "set Addresses.Gateway to [], or to this machine alone with Gateway.NoFetch true",
    });
  }
  if ((Bootstrap ?? []).length > 0 || Routing.Type !== "none") {
    hazards.push({
      grave: false,
      detail: "the node looks for public peers and tells them what it holds",
      hint: 'set Bootstrap to [] and Routing.Type to "none", as network/kubo/init does',
    });
  }
  return hazards;
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string");
}

function isLocal(address: string): boolean {
  return /^\/(?:ip4\/127\.|ip6\/::1\/|unix\/)/.test(address);
}

/** Whether the place of the blocks flushes each write; of a kind that is not known, nobody can say. */
function isSynchronous(spec: unknown): boolean {
  const { type, mounts, child, sync } = (spec ?? {}) as Record<string, unknown>;
  if (type === "mount" && Array.isArray(mounts)) {
    const places = mounts as Record<string, unknown>[];
    const blocks = places.find(({ mountpoint }) => mountpoint === "/blocks");
    return blocks !== undefined && isSynchronous(blocks);
  }
  if (type === "measure" && child !== undefined) return isSynchronous(child);
  return type === "flatfs" && sync === true;
}

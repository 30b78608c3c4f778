// SPDX-License-Identifier: Apache-2.0
// Writes the settings of a private node into the configuration of a new Kubo repository; `init` runs it. Edited as a
// file, because the token must not be an argument, which other users can read.
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where Kubo keeps the blocks: flatfs, perhaps with counters around it. */
interface Mount {
  mountpoint: string;
  child?: Mount;
  sync?: boolean;
}

/** The parts of Kubo's configuration that change. */
interface KuboConfig {
  Identity: { PeerID: string };
  Datastore: { Spec: { mounts: Mount[] }; BlockKeyCacheSize?: number };
  Swarm: { Transports: object };
  [part: string]: object | undefined;
}

const [repo, listen, port, rpc, tokenFile] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const file = join(repo, "config");
const config = JSON.parse(readFileSync(file, "utf8")) as KuboConfig;

/** What `chartseal` calls, and a nightly garbage collection; `version` is open to every token. */
const CALLS = ["add", "dag/import", "block/", "pin/", "config/show", "repo/gc"];
let authorizations = {};
if (tokenFile !== "") {
  const token = randomBytes(32).toString("hex");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600, flag: "wx" });
  const AllowedPaths = CALLS.map((call) => `/api/v0/${call}`);
  authorizations = { Authorizations: { chartseal: { AuthSecret: `bearer:${token}`, AllowedPaths } } };
}

// What is stored is on the disk when the node says so. Kubo's documentation calls `"sync": false` safe, because it
// flushes before it pins; flatfs 0.6, which it uses, does nothing when it is told to flush.
const blocks = config.Datastore.Spec.mounts.find(({ mountpoint }) => mountpoint === "/blocks")!;
(blocks.child ?? blocks).sync = true;
// A body that is put again is written again, so that this repairs a damaged one: with a cache of what is there, Kubo
// answers that it stored it and writes nothing.
config.Datastore.BlockKeyCacheSize = 0;

const swarm = `/${listen.includes(":") ? "ip6" : "ip4"}/${listen}/tcp/${port}`;
const [on, off] = [true, false];
const settings = {
  // Who may reach the node: its RPC this machine alone, its swarm who has the key. No gateway at all.
  Addresses: { API: `/ip4/127.0.0.1/tcp/${rpc}`, Gateway: [], Swarm: [swarm], Announce: [], NoAnnounce: [] },
  API: { HTTPHeaders: {}, ...authorizations },
  Gateway: { ...config["Gateway"], NoFetch: true },
  // Nobody else is looked for, asked or told.
  Bootstrap: [],
  Routing: { Type: "none" },
  Provide: { Enabled: false },
  HTTPRetrieval: { Enabled: false },
  Discovery: { MDNS: { Enabled: false } },
  AutoNAT: { ServiceMode: "disabled" },
  AutoTLS: { Enabled: false },
  AutoConf: { Enabled: false },
  Plugins: { Plugins: { telemetry: { Disabled: true } } },
  Swarm: {
    ...config.Swarm,
    DisableNatPortMap: true,
    EnableHolePunching: false,
    RelayClient: { Enabled: false },
    RelayService: { Enabled: false },
    Transports: {
      ...config.Swarm.Transports,
      // Of the transports only TCP knows a private swarm's key.
      Network: { TCP: on, QUIC: off, Websocket: off, Relay: off, WebTransport: off, WebRTCDirect: off },
    },
  },
};

writeFileSync(`${file}.new`, JSON.stringify({ ...config, ...settings }, null, 2), { mode: 0o600 });
renameSync(`${file}.new`, file);
process.stdout.write(`${swarm}/p2p/${config.Identity.PeerID}\n`);

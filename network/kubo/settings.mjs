// SPDX-License-Identifier: Apache-2.0
// Writes the settings of a private node into the configuration of a new Kubo repository; `init` runs it. Edited as a
// file, because the token must not be an argument, which other users can read.
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [repo, listen, port, rpc, tokenFile] = process.argv.slice(2);
const file = join(repo, "config");
const config = JSON.parse(readFileSync(file, "utf8"));

// Who may reach the node: its RPC this machine alone, its swarm who has the key. No gateway at all.
const swarm = `/${listen.includes(":") ? "ip6" : "ip4"}/${listen}/tcp/${port}`;
Object.assign(config.Addresses, { API: `/ip4/127.0.0.1/tcp/${rpc}`, Gateway: [], Swarm: [swarm] });
config.Gateway.NoFetch = true;

/** What `chartseal` calls; `version` is open to every token. */
const CALLS = ["add", "dag/import", "block/", "pin/", "config/show"];
if (tokenFile !== "") {
  const token = randomBytes(32).toString("hex");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600, flag: "wx" });
  const AllowedPaths = CALLS.map((call) => `/api/v0/${call}`);
  config.API.Authorizations = { chartseal: { AuthSecret: `bearer:${token}`, AllowedPaths } };
}

// Nobody else is looked for, asked or told.
config.Bootstrap = [];
config.Routing = { Type: "none" };
config.Provide = { Enabled: false };
config.HTTPRetrieval = { Enabled: false };
config.Discovery.MDNS.Enabled = false;
config.AutoNAT = { ServiceMode: "disabled" };
config.AutoTLS = { Enabled: false };
config.AutoConf = { Enabled: false };
config.Plugins = { Plugins: { telemetry: { Disabled: true } } };
Object.assign(config.Swarm, {
  DisableNatPortMap: true,
  EnableHolePunching: false,
  RelayClient: { Enabled: false },
  RelayService: { Enabled: false },
});
// Of the transports only TCP knows a private swarm's key.
const [on, off] = [true, false];
config.Swarm.Transports = {
  ...config.Swarm.Transports,
  Network: { TCP: on, QUIC: off, Websocket: off, Relay: off, WebTransport: off, WebRTCDirect: off },
};

// What is stored is on the disk when the node says so. Kubo's documentation calls `"sync": false` safe, because it
// flushes before it pins; flatfs 0.6, which it uses, does nothing when it is told to flush.
const blocks = config.Datastore.Spec.mounts.find(({ mountpoint }) => mountpoint === "/blocks");
const flatfs = blocks.type === "measure" ? blocks.child : blocks;
flatfs.sync = true;

writeFileSync(`${file}.new`, JSON.stringify(config, null, 2), { mode: 0o600 });
renameSync(`${file}.new`, file);
console.log(`${swarm}/p2p/${config.Identity.PeerID}`);

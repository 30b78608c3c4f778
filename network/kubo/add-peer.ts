// SPDX-License-Identifier: Apache-2.0
// Tells a node of another member's, to which it then stays connected. Start the node anew afterwards.
//   node network/kubo/add-peer.ts FOLDER /ip4/10.0.0.2/tcp/4001/p2p/12D3KooW...
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Peer {
  ID: string;
  Addrs: string[];
}

const [repo = "", address = ""] = process.argv.slice(2);
const parts = /^(\/ip[46]\/[0-9a-fA-F:.]+\/tcp\/\d+)\/p2p\/([A-Za-z0-9]+)$/.exec(address);
if (parts === null) {
  process.stderr.write("usage: add-peer.ts FOLDER /ip4/10.0.0.2/tcp/4001/p2p/12D3KooW...\n");
  process.exitCode = 2;
} else {
  addPeer(join(repo, "config"), { ID: parts[2]!, Addrs: [parts[1]!] });
}

function addPeer(file: string, peer: Peer): void {
  const config = JSON.parse(readFileSync(file, "utf8")) as { Peering?: { Peers?: Peer[] | null } };
  const others = (config.Peering?.Peers ?? []).filter(({ ID }) => ID !== peer.ID);
  const changed = { ...config, Peering: { Peers: [...others, peer] } };
  writeFileSync(`${file}.new`, JSON.stringify(changed, null, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

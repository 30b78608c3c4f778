// SPDX-License-Identifier: Apache-2.0
// Deploys a consortium's contracts and prints the deployment, of which every member gets a copy.
//   node --import tsx scripts/deploy.ts http://127.0.0.1:8545 0x52908400098527886E0F7030069857D2E4169EE7 > deployment.json
import { randomBytes } from "node:crypto";
import { deploy, keySigner, type Hex } from "../src/index.js";

const [url, governance] = process.argv.slice(2);
if (url === undefined || governance === undefined)
  throw new Error("usage: deploy.ts NODE_URL GOVERNANCE_ADDRESS");

const deployment = await deploy({
  url,
  // Any account will do, since the chain takes no fee and the contracts have no owner: this one is thrown away.
  deployer: keySigner(`0x${randomBytes(32).toString("hex")}`),
  // Admits, suspends and removes members. A contract account can stand here.
  governance: governance as Hex,
  // New staff may witness and countersign after this many seconds.
  waitingTime: 86_400,
  onProgress: ({ contract, address }) => console.error(`${contract} at ${address}`),
});

console.log(JSON.stringify(deployment, null, 2));

// SPDX-License-Identifier: Apache-2.0
// A process that beats until it is killed: node beat.ts FOLDER
import { Heartbeat } from "../../../src/monitor/index.js";

const [folder = ""] = process.argv.slice(2);
Heartbeat.start(folder, "release-agent", () => ({ vaultUnlocked: true }));
process.stdout.write('{"beating":true}\n');
setInterval(() => {}, 1_000);

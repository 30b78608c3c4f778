// SPDX-License-Identifier: Apache-2.0
// Erases one record in a process of its own: node erase-child.ts CHARTSEAL.JSON INDEX PATIENT-KEY
import { Wallet } from "ethers";
import { accountSigner, signAs } from "../../src/consent/index.js";
import { openHospital } from "../support/hospital.js";

const [config = "", index = "", key = ""] = process.argv.slice(2);
await using hospital = await openHospital({ config });
const { erasures } = hospital;
const finished = await erasures.finish(Number(index));
if (finished === undefined) {
  const act = await erasures.prepare(Number(index), "patient");
  const signature = await signAs(accountSigner(new Wallet(key)), act.typedData);
  await erasures.carryOut(act, { signature });
}
await erasures.rotate();
process.stdout.write(`${JSON.stringify({ done: true })}\n`);

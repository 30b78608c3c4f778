// SPDX-License-Identifier: Apache-2.0
// Opens a hospital with a long log, verifies the whole of it, and checks receipts offline.
// node open-log.ts CHARTSEAL.JSON
import { parseReceipt, verifyReceipt, type Receipt, type TrustedRoot } from "../../src/crypto/index.js";
import { openHospital } from "../../test/support/hospital.js";
import { peakMemoryMiB } from "../../test/support/peak-memory.js";
import { spreadOf, type Spread } from "../figures.js";

/** Receipts made and checked, spread over the log. */
const RECEIPTS = 200;

/** Milliseconds, unless a name says otherwise. */
export interface LogOutcome {
  records: number;
  open: number;
  verifySeconds: number;
  /** Making a receipt out of the journal. */
  makeReceipt: Spread;
  /** Checking it, with its body and a pinned root, without network and database. */
  checkReceipt: Spread;
  maxRssMiB: number;
}

const [config = ""] = process.argv.slice(2);
let started = performance.now();
await using hospital = await openHospital({ config });
const open = performance.now() - started;

started = performance.now();
const { ok, entries: records } = await hospital.verifyLog();
const verifySeconds = (performance.now() - started) / 1_000;
if (!ok) throw new Error("the log does not verify");

const making: number[] = [];
const checking: number[] = [];
for (let receipt = 0; receipt < RECEIPTS; receipt++) {
  await makeAndCheck(1 + Math.floor((receipt * records) / RECEIPTS));
}
const outcome: LogOutcome = {
  records,
  open,
  verifySeconds,
  makeReceipt: spreadOf(making),
  checkReceipt: spreadOf(checking),
  maxRssMiB: peakMemoryMiB(),
};
process.stdout.write(`${JSON.stringify(outcome)}\n`);

async function makeAndCheck(index: number): Promise<void> {
  let from = performance.now();
  const made = hospital.receipt(index);
  making.push(performance.now() - from);
  const text = JSON.stringify(made);
  const body = Buffer.concat(await Array.fromAsync(hospital.store.get(made.cid)));
  const roots = [rootOf(made)];
  from = performance.now();
  const verdict = await verifyReceipt(parseReceipt(text), { body, roots });
  checking.push(performance.now() - from);
  if (!verdict.ok) throw new Error(`the receipt of entry ${index} does not verify`);
}

function rootOf({ batch, anchor }: Receipt): TrustedRoot {
  const { memberId, firstIndex, count, root } = batch;
  return { chainId: anchor.chainId, contract: anchor.contract, memberId, firstIndex, count, root };
}

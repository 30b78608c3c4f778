// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { askNode } from "./chain.js";
import { JOHNNIE, LUNA, PETER, copyExamples } from "./data.js";
import type { World } from "./world.js";

interface Batch {
  firstIndex: number;
  count: number;
  gasUsed: number;
  blockNumber: number;
  transactionHash: string;
}

/** Gas that one record may cost in a full batch; the rest of a small batch is the batch's own. */
const GAS_OF_A_BATCH = 80_000;

/** Writes 32 random bytes where only this user can read them. @returns the path */
export async function secretFile(path: string, text = randomBytes(32).toString("hex")): Promise<string> {
  await writeFile(path, `${text}\n`, { mode: 0o600 });
  return path;
}

export async function enrolScene(world: World): Promise<void> {
  const { stage, hospitalA, hospitalB, folder } = world;
  stage.scene("Staff and patients");
  const staff = await Promise.all([
    enrolAll(hospitalA, [["operator", "OPERATOR"], ["releaser", "RELEASER"]]),
    enrolAll(hospitalB, [["clinician", "CLINICIAN"]]),
  ]);
  stage.expect("Harbour enrols an operator and a releaser, Riverside a clinician", staff.every(Boolean));
  world.phone = `0x${randomBytes(32).toString("hex")}`;
  const key = await secretFile(`${folder}/johnnie.phone`, world.phone);
  const johnnie = await hospitalA.run([
    ...["patient", "enrol", "--identifier", JOHNNIE.identifier, "--label", "Johnnie H."],
    ...["--signer-key", key],
  ]);
  world.johnnie = johnnie.json?.patientId;
  const luna = await hospitalA.run(["patient", "enrol", "--identifier", LUNA.identifier]);
  const peter = await hospitalA.run(["patient", "enrol", "--identifier", PETER.identifier]);
  const administrative = await hospitalA.run(["patient", "administrative"]);
  const all = [johnnie, luna, peter, administrative];
  stage.expect("three patients are on chain, as pseudonyms only", all.every((answer) => answer.exit === 0), johnnie.text);
  stage.say(`Johnnie signs with a key of his own; at Harbour he is ${short(world.johnnie)}.`);
}

export async function ingestScene(world: World): Promise<void> {
  const { stage, hospitalA, folder } = world;
  stage.scene("Harbour takes its records: sealed, stored, anchored");
  const copied = await copyExamples(`${folder}/outbox`);
  const sources = [
    { name: "Johnnie's Bundle, split", args: [JOHNNIE.bundle, "--split"], items: 237 },
    { name: "Luna's Bundle, split", args: [LUNA.bundle, "--split"], items: 223 },
    { name: "official FHIR examples", args: [`${folder}/outbox`], items: copied },
  ];
  for (const { name, args, items } of sources) {
    const answer = await hospitalA.watch(["ingest", ...args, "--batch-wait", "500"]);
    const { anchored = 0, recordsPerSecond = 0, batches = [] } = answer.json ?? {};
    const what = `${name}: ${items} records in, ${items} anchored`;
    stage.expect(what, answer.exit === 0 && anchored === items, answer.text);
    const gas = batches.reduce((sum: number, batch: Batch) => sum + batch.gasUsed, 0);
    stage.say(
      `${Math.round(recordsPerSecond)} records/s; ${batches.length} batch(es), ${gas} gas: ${Math.round(gas / anchored)} a record`,
    );
    stage.expect("the whole batch costs what one record would", gas <= GAS_OF_A_BATCH * batches.length, String(gas));
    await showOnChain(world, batches);
  }
  const again = await hospitalA.run(["ingest", JOHNNIE.bundle, "--split"]);
  stage.expect("the same Bundle again is recognised: nothing is anchored twice", again.json?.known === 237, again.text);
}

/** Where a run's batches stand on chain, as the node itself says. */
async function showOnChain({ stage }: World, batches: Batch[]): Promise<void> {
  for (const { firstIndex, count, blockNumber, transactionHash } of batches) {
    const mined = await askNode<{ status: string; blockNumber: string } | null>("eth_getTransactionReceipt", [
      transactionHash,
    ]);
    const entries = `entries ${firstIndex} to ${firstIndex + count - 1}`;
    stage.expect(
      `on chain: ${entries} in block ${blockNumber}, transaction ${short(transactionHash)}`,
      mined?.status === "0x1" && Number(mined.blockNumber) === blockNumber,
      JSON.stringify(mined),
    );
  }
}

async function enrolAll(member: World["hospitalA"], staff: [string, string][]): Promise<boolean> {
  let done = true;
  for (const [name, role] of staff) {
    const answer = await member.run(["staff", "enrol", "--name", name, "--role", role]);
    done &&= answer.exit === 0;
  }
  return done;
}

export function short(hex: string): string {
  return `${hex.slice(0, 6)}…${hex.slice(-4)}`;
}

// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from "node:child_process";
import { mkdir, readFile, readdir, rename } from "node:fs/promises";
import { cidOfDigest, type Receipt } from "../../src/index.js";
import { startChain, stopProcess } from "./chain.js";
import type { Grant } from "./sharing-scenes.js";
import type { World } from "./world.js";
import { dropBody, flipByte, forgeReceipt } from "./tamper.js";

export async function auditScene(world: World): Promise<void> {
  const { stage, hospitalA, johnnie } = world;
  stage.scene("Who looked? The patient's audit");
  const args = ["audit", "--patient", johnnie];
  stage.say(await hospitalA.show(args));
  const audit = await hospitalA.run(args);
  const kinds = ((audit.json?.entries ?? []) as { kind: string }[]).map((entry) => entry.kind);
  const accesses = kinds.filter((kind) => kind === "access").length;
  stage.expect("it shows both accesses: the index and the records", accesses === 2, JSON.stringify(kinds));
  stage.expect("and is complete: its digest equals the chain's", audit.exit === 0 && audit.json?.complete === true);
}

/** Four attacks, each caught and named; what was changed is put back after each. */
export async function tamperScene(world: World, grant: Grant): Promise<void> {
  const { stage, hospitalA, hospitalB, folder, ids } = world;
  stage.scene("Someone tampers");
  const receipts = `${folder}/receipts`;
  await hospitalA.run(["receipt", "--patient", world.johnnie, "--out", receipts]);
  const names = (await readdir(receipts)).filter((name) => name.endsWith(".json")).toSorted();
  const file = `${receipts}/${names[Math.floor(names.length / 2)]}`;
  const receipt = JSON.parse(await readFile(file, "utf8")) as Receipt;
  await flippedBody(world, grant, receipt);
  await alteredManifest(world, receipt);
  await droppedRecord(world, receipts, file, receipt);
  await forgedReceipt(world, file);
  const clean = await hospitalB.run(["verify", "--log", String(ids.a)]);
  stage.expect("put back as it was, the whole log verifies", clean.exit === 0 && clean.json?.ok === true, clean.text);
}

async function flippedBody(world: World, grant: Grant, receipt: Receipt): Promise<void> {
  const { stage, hospitalB, folder, store, ids } = world;
  const { index } = receipt.leaf;
  const putBack = flipByte(store, receipt.cid, 100);
  const log = await hospitalB.run(["verify", "--log", String(ids.a)]);
  const altered = finding(log.json, "body-altered");
  stage.expect(
    `one flipped byte in the store: entry ${index} is named`,
    log.exit === 1 && altered?.index === index,
    log.text,
  );
  const opened = await hospitalB.run([
    ...["open", "--grant", grant.termsHash, "--purpose", "TREAT", "--index", String(index)],
    ...["--out", `${folder}/opened-tampered`],
  ]);
  const given = opened.json?.records?.length ?? 0;
  stage.expect("and a reader is not given it", opened.exit !== 0 && given === 0, opened.text);
  putBack();
}

async function alteredManifest(world: World, receipt: Receipt): Promise<void> {
  const { stage, hospitalB, store, ids } = world;
  const { firstIndex, manifestDigest } = receipt.batch;
  const putBack = flipByte(store, cidOfDigest(Buffer.from(manifestDigest.slice(2), "hex")), 40);
  const log = await hospitalB.run(["verify", "--log", String(ids.a)]);
  stage.expect(
    `one altered batch manifest: the batch from entry ${firstIndex} is named`,
    log.exit === 1 && finding(log.json, "batch-manifest-altered")?.index === firstIndex,
    log.text,
  );
  putBack();
}

async function droppedRecord(world: World, receipts: string, file: string, receipt: Receipt): Promise<void> {
  const { stage, hospitalA, folder, store, ids } = world;
  const { patientSeq } = receipt.leaf;
  await rename(file, `${folder}/dropped.json`);
  const dropped = await hospitalA.run(["verify", receipts]);
  stage.expect(
    `one dropped record: number ${patientSeq} of the patient is named`,
    dropped.exit === 1 && JSON.stringify(dropped.json?.missing ?? []).includes(String(patientSeq)),
    dropped.text,
  );
  await rename(`${folder}/dropped.json`, file);
  const putBack = dropBody(store, receipt.cid);
  const log = await hospitalA.run(["verify", "--log", String(ids.a)]);
  const { index } = receipt.leaf;
  stage.expect(
    `its body dropped from the store: entry ${index} is named`,
    log.exit === 1 && finding(log.json, "body-missing")?.index === index,
    log.text,
  );
  putBack();
}

async function forgedReceipt(world: World, file: string): Promise<void> {
  const { stage, hospitalA, folder } = world;
  await mkdir(`${folder}/forged`, { recursive: true });
  await forgeReceipt(file, `${folder}/forged/forged.json`);
  const forged = await hospitalA.run(["verify", `${folder}/forged/forged.json`]);
  stage.expect(
    "one forged receipt: its leaf is not under the root",
    forged.exit === 1 && JSON.stringify(forged.json).includes('"inclusion","ok":false'),
    forged.text,
  );
}

/** A receipt outlives the chain: with pinned roots it verifies while no node runs. */
export async function offlineScene(world: World, chain: ChildProcess): Promise<void> {
  const { stage, hospitalA, folder } = world;
  stage.scene("The chain is switched off; a receipt still proves");
  const roots = `${folder}/roots.json`;
  await hospitalA.run(["receipt", "--roots", "--out", roots]);
  await stopProcess(chain);
  const [name] = (await readdir(`${folder}/receipts`)).filter((entry) => entry.endsWith(".json"));
  const verdict = await hospitalA.run(["verify", `${folder}/receipts/${name}`, "--roots", roots]);
  stage.expect("a receipt verifies offline against the pinned root", verdict.exit === 0, verdict.text);
}

/** The folder can be gone on with: the chain starts again from its saved state. */
export async function wakeScene(world: World): Promise<void> {
  const { stage, hospitalA, folder } = world;
  stage.scene("The chain is started again from its saved state");
  const chain = await startChain(`${folder}/chain.json`);
  world.onEnd(() => stopProcess(chain));
  const doctor = await hospitalA.run(["doctor"]);
  stage.expect("chartseal doctor finds nothing wrong", doctor.exit === 0, doctor.text);
  const audit = await hospitalA.run(["audit", "--patient", world.johnnie]);
  stage.expect("the audit is complete, revocation included", audit.json?.complete === true, audit.text);
  const status = await hospitalA.run(["status"]);
  stage.expect("chartseal status answers", status.exit === 0, status.text);
  const verdict = await hospitalA.run(["verify", `${folder}/receipts`]);
  stage.expect("every receipt verifies against the chain as it woke", verdict.exit === 0, verdict.text);
}

function finding(verdict: any, what: string): { index: number } | undefined {
  return verdict?.findings?.find((one: { what: string }) => one.what === what);
}

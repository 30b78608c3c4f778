// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs } from "../../src/consent/index.js";
import { Consortium, openHospital, type Hospital } from "../support/hospital.js";
import { LocalKubo, makeSwarmKey } from "../support/kubo-node.js";
import { observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import { agentOf, patientWith, served, type Sharing } from "../support/sharing.js";

const TREAT = { purpose: "TREAT" } as const;
const MIB = 1_048_576;

describe("two hospitals with an IPFS node each", function () {
  this.timeout(180_000);
  let folder: string;
  let nodes: [LocalKubo, LocalKubo];
  let consortium: Consortium;
  let a: Chartseal;
  let b: Chartseal;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "chartseal-hospitals-"));
    const swarmKey = makeSwarmKey(folder);
    const start = () => LocalKubo.start({ swarmKey, token: true });
    [nodes, consortium] = await Promise.all([Promise.all([start(), start()]), Consortium.start()]);
    await nodes[0].connect(nodes[1]);
    const hospitals = [await consortium.hospital("a"), await consortium.hospital("b")] as const;
    for (const [i, hospital] of hospitals.entries()) keepAt(nodes[i]!, hospital);
    [a, b] = [await openHospital(hospitals[0]), await openHospital(hospitals[1])];
    await a.patients.administrative();
  });
  after(async () => {
    for (const each of [a, b, consortium, ...nodes]) await each[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  function keepAt({ rpc, tokenFile }: LocalKubo, { config }: Hospital): void {
    const file = JSON.parse(readFileSync(config, "utf8")) as object;
    const store = { kubo: { rpc, tokenFile, fromPeers: true, timeout: 10 } };
    writeFileSync(config, JSON.stringify({ ...file, store }));
  }

  const bodiesOf = (hospital: Chartseal) => Array.fromAsync(hospital.store.list());
  const textsOf = async (opened: Awaited<ReturnType<typeof b.access.request>>) => {
    const texts: string[] = [];
    for await (const { body } of opened.open())
      texts.push(Buffer.concat(await Array.fromAsync(body)).toString("utf8"));
    return texts;
  };

  it("take in, grant, request and open records, small and large, which lie at the custodian's node only", async () => {
    const notes = ["short", "x".repeat(2 * MIB + 5), "last"];
    const lines = (patient: string) => notes.map((note, id) => observation({ id: `o${id}`, patient, note }));
    const p = await patientWith({ a, b } as Sharing, lines);
    const chart = await served(agentOf(a), b.access.list(p.ticket, TREAT));
    expect(chart.entries).to.have.length(3);
    const texts = await textsOf(await served(agentOf(a), b.access.request(chart, TREAT)));
    expect(texts.map((text) => notes.find((note) => text.includes(note)))).to.have.members(notes);
    expect(await bodiesOf(b)).to.deep.equal([]);
    const kept = await bodiesOf(a);
    // Three records and the batch's manifest, at least.
    expect(kept.length).to.be.at.least(4);
    expect((await a.verifyLog()).findings).to.deep.equal([]);
    expect(existsSync(join(consortium.folder, "store")), "no folder is made").to.equal(false);
  });

  it("open a record from the reader's own node when the custodian's is lost after it gave a copy", async () => {
    const p = await patientWith({ a, b } as Sharing, 1);
    const [item] = a.journal.itemsOfPatient(p.patient);
    const copy = Buffer.concat(await Array.fromAsync(a.store.get(item!.cid!)));
    await b.store.put(copy);
    const opened = await served(agentOf(a), b.access.requestChart(p.ticket, TREAT));
    nodes[0].pause();
    try {
      expect(await textsOf(opened)).to.have.length(1);
    } finally {
      nodes[0].pause(false);
    }
  });

  it("leave no block of an erased record at the custodian's node", async () => {
    const p = await patientWith({ a, b } as Sharing, (patient) => [
      observation({ id: "erased", patient, note: "y".repeat(MIB + 77) }),
    ]);
    const [item] = a.journal.itemsOfPatient(p.patient);
    const { cid } = item!;
    expect(existsSync(nodes[0].fileOf(cid!))).to.equal(true);
    const before = (await bodiesOf(a)).map((body) => body.cid);
    expect(before).to.include(cid);
    const refs = await Array.fromAsync(nodes[0].client().refs(cid!));
    const blocks = [cid!, ...refs.map(({ ref }) => ref)];
    expect(blocks).to.have.length(3);

    const act = await a.erasures.prepare(item!.logIndex!, "patient");
    await a.erasures.carryOut(act, { signature: await signAs(p.device, act.typedData) });

    for (const block of blocks) expect(existsSync(nodes[0].fileOf(block)), block).to.equal(false);
    expect((await bodiesOf(a)).map((body) => body.cid)).not.to.include(cid);
    await rejected("ERR_BODY_MISSING", Array.fromAsync(b.store.get(cid!)));
    expect((await a.verifyLog()).findings).to.deep.equal([]);
  });
});

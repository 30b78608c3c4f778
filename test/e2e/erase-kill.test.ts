// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { collectLogs } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { LeafKind, indexRef } from "../../src/crypto/index.js";
import { runChild, type ChildResult } from "../support/child.js";
import { Consortium, openHospital, type Hospital } from "../support/hospital.js";
import { observations } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import { PatientDevice, takeIn } from "../support/sharing-acts.js";

/** Spread over all that an erasure makes durable. */
const KILLS = 16;

describe("An erasure that is killed", function () {
  this.timeout(180_000);
  const device = new PatientDevice();
  let consortium: Consortium;
  let place: Hospital;

  before(async () => {
    consortium = await Consortium.start();
    place = await consortium.hospital("a");
    await using hospital = await openHospital(place);
    await hospital.patients.enrol({ identifiers: [{ system: "fhir:Patient", value: "p" }], signer: device });
    await takeIn(hospital, observations("p", KILLS + 1));
  });
  after(() => consortium[Symbol.asyncDispose]());

  it("at any of 16 points is finished by the next run, done once", async () => {
    const whole = await erase(KILLS + 1);
    expect(whole.lines[0], whole.output).to.deep.equal({ done: true });
    const points = whole.lines.at(-1)!["points"] as string[];
    expect(points.length).to.be.greaterThan(KILLS);
    for (let index = 1; index <= KILLS; index++) {
      const at = Math.ceil((index * points.length) / (KILLS + 1));
      const killed = await erase(index, at);
      expect(killed.signal, `${points[at - 1]}: ${killed.output}`).to.equal("SIGKILL");
      const next = await erase(index);
      expect(next.lines[0], `${points[at - 1]}: ${next.output}`).to.deep.equal({ done: true });
    }
    await using hospital = await openHospital(place);
    for (let index = 1; index <= KILLS + 1; index++) await expectErased(hospital, index);
    expect((await hospital.verifyLog()).findings).to.deep.equal([]);
  });

  async function erase(index: number, killAt = Infinity): Promise<ChildResult> {
    return await runChild(
      new URL("erase-child.ts", import.meta.url),
      [place.config, String(index), device.wallet.privateKey],
      { imports: [new URL("../support/kill-point.ts", import.meta.url)], env: { KILL_AT: String(killAt) } },
    );
  }

  async function expectErased(hospital: Chartseal, index: number): Promise<void> {
    const { journal, chain, memberId, vault, store } = hospital;
    const item = journal.itemAt(index)!;
    await rejected("ERR_KEY_ERASED", (async () => vault.keyOf(item.recordId!))());
    expect(await store.has(item.cid!)).to.equal(false);
    expect(journal.details(item.id).label).to.equal("erased");
    const topics = chain.records.interface.encodeFilterTopics("EntryErased", [memberId, index]) as string[];
    expect(await collectLogs(chain, { address: chain.deployment.records, topics })).to.have.length(1);
    const certificates = journal.database.all(
      "SELECT id FROM items WHERE kind = ? AND ref = ?",
      LeafKind.ERASURE_CERTIFICATE,
      Buffer.from(indexRef(index).slice(2), "hex"),
    );
    expect(certificates, `certificates of ${index}`).to.have.length(1);
  }
});

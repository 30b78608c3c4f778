// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { Emergencies, dutiesOf } from "../../src/access/index.js";
import type { Writer } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import type { Hex } from "../../src/crypto/index.js";
import { OverdueEmergencies } from "../../src/monitor/overdue.js";
import { breakGlass } from "../support/emergency.js";
import { Consortium, openHospital, type Hospital } from "../support/hospital.js";
import { PatientDevice, newStaff } from "../support/sharing.js";

const HOUR = 3_600;
const DAY = 24 * HOUR;
const WHO = ["custodian", "reader", "colleague", "neither"] as const;
type Who = (typeof WHO)[number];

/** Four hospitals: whose patient it is, whose clinician reads, whose colleague signed, and one that took no part. */
describe("a privacy officer's queue of emergencies", function () {
  this.timeout(120_000);
  let consortium: Consortium;
  const hospitals = {} as Record<Who, Chartseal>;
  const officers = {} as Record<Who, Writer>;
  const monitors = {} as Record<Who, OverdueEmergencies>;
  let windowId: Hex;

  before(async () => {
    consortium = await Consortium.start();
    const places = {} as Record<Who, Hospital>;
    for (const who of WHO) {
      places[who] = await consortium.hospital(who);
      hospitals[who] = await openHospital(places[who]);
      monitors[who] = new OverdueEmergencies(hospitals[who].chain, hospitals[who].memberId);
      ({ writer: officers[who] } = await newStaff(hospitals[who], places[who], ["REVIEWER"]));
    }
    const { signer: colleague } = await newStaff(hospitals.colleague, places.colleague, ["CLINICIAN"]);
    const identifiers = [{ system: "fhir:Patient", value: "p" }];
    const patient = await hospitals.custodian.patients.enrol({ identifiers, signer: new PatientDevice() });
    await pass(HOUR + 60);
    ({ termsHash: windowId } = await breakGlass({ b: hospitals.reader, patient, colleague }));
  });
  after(async () => {
    for (const who of WHO) await hospitals[who][Symbol.asyncDispose]();
    await consortium[Symbol.asyncDispose]();
  });

  const pass = async (seconds: number) => {
    await consortium.chain.rpc("evm_increaseTime", [seconds]);
    await consortium.chain.rpc("evm_mine");
  };
  const emergencies = (who: Who) => new Emergencies(hospitals[who].chain, () => officers[who]);

  /**
   * What each member's officers find in their queue; checked against what the contract would let them do, and what
   * their member's monitor counts.
   */
  async function queues(): Promise<Record<Who, string[]>> {
    const found = {} as Record<Who, string[]>;
    for (const who of WHO) {
      const { memberId: member } = hospitals[who];
      const [window] = await emergencies(who).list({ member });
      const duties = window === undefined ? [] : dutiesOf(window, member);
      found[who] = duties.map(({ what, overdue }) => (overdue ? `${what} (overdue)` : what));
      expect(await monitors[who].read(), `${who}'s monitor`).to.deep.equal({
        justification: found[who].filter((duty) => duty === "justify (overdue)").length,
        review: found[who].filter((duty) => duty === "decide (overdue)").length,
      });
      const what = duties.map((duty) => duty.what);
      expect(await may(who, "justify"), `${who} may justify`).to.equal(what.includes("justify"));
      // The custodian sees his part before its time: first the reader's side is to be heard.
      if (window?.justified === true || window?.justificationOverdue === true)
        expect(await may(who, "review"), `${who} may review`).to.equal(what.includes("decide"));
      if (what.includes("flag")) expect(await may(who, "flagOverdue"), `${who} may flag`).to.equal(true);
    }
    return found;
  }

  async function may(who: Who, act: "justify" | "review" | "flagOverdue"): Promise<boolean> {
    const { emergencies: contract } = hospitals[who].chain;
    const from = { from: officers[who].address };
    const digest = id("a statement");
    try {
      if (act === "justify") await contract.justify.staticCall(windowId, digest, from);
      else if (act === "review") await contract.review.staticCall(windowId, 1, digest, from);
      else await contract.flagOverdue.staticCall(windowId, from);
      return true;
    } catch {
      return false;
    }
  }

  it("holds at first the reader's account and the custodian's review", async () => {
    expect(await queues()).to.deep.equal({
      custodian: ["decide"],
      reader: ["justify"],
      colleague: [],
      neither: [],
    });
  });

  it("says what is overdue, and who can flag it", async () => {
    await pass(3 * DAY + HOUR);
    expect(await queues()).to.deep.equal({
      custodian: ["flag (overdue)", "decide"],
      reader: ["justify (overdue)"],
      colleague: ["flag (overdue)"],
      neither: [],
    });
  });

  it("holds a flagged account for the colleague's member too, whose persons it stops", async () => {
    await emergencies("custodian").flagOverdue(windowId);
    expect(await queues()).to.deep.equal({
      custodian: ["decide"],
      reader: ["justify (overdue)"],
      colleague: ["justify (overdue)"],
      neither: [],
    });
    await emergencies("colleague").justify(windowId, "the reader's hospital is closed");
    expect(await queues()).to.deep.equal({ custodian: ["decide"], reader: [], colleague: [], neither: [] });
  });

  it("holds an overdue review for members of neither side, until one of them decides", async () => {
    const { reviewWithin } = await hospitals.custodian.chain.emergencies.limits();
    await consortium.chain.rpc("anvil_mine", ["0x1e"]); // no monitor reads the window's block again
    await pass(Number(reviewWithin));
    expect(await queues()).to.deep.equal({
      custodian: ["decide (overdue)"],
      reader: [],
      colleague: [],
      neither: ["decide (overdue)"],
    });
    await emergencies("neither").review(windowId, "APPROPRIATE", "seen for the consortium");
    expect(await queues()).to.deep.equal({ custodian: [], reader: [], colleague: [], neither: [] });
    // It stays in the list of those whom it concerned.
    const listed = await Promise.all(
      WHO.map(async (who) => (await emergencies(who).list({ member: hospitals[who].memberId })).length),
    );
    expect(listed).to.deep.equal([1, 1, 1, 0]);
  });
});

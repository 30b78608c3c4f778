// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ENTRY_STATUS } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { signAs } from "../../src/consent/index.js";
import { Holds, type HoldAct } from "../../src/lifecycle/index.js";
import { childOf } from "../support/child-patient.js";
import { linesSource, observations } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import {
  newStaff,
  ownSharing,
  patientWith,
  takeIn,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

const DAY = 86_400;

describe("A legal hold", function () {
  this.timeout(120_000);
  let s: Sharing;
  let a: Chartseal;
  let person: SharedPatient;
  let indices: number[];
  let reviewers: Holds;

  before(async () => {
    s = await ownSharing();
    a = s.a;
    person = await patientWith(s, 3);
    indices = a.journal.itemsOfPatient(person.patient).map(({ logIndex }) => logIndex!);
  });

  const until = async (days: number) => new Date(((await a.chain.time()) + days * DAY) * 1_000);
  const place = async (which: readonly number[], days: number) => {
    const act = await a.holds().placing(which, await until(days));
    await a.holds().place(act, await signAs(person.device, act.typedData));
  };
  const lift = async (which: readonly number[]) => {
    const act = await a.holds().lifting(which);
    await a.holds().lift(act, await signAs(person.device, act.typedData));
  };
  const statusOf = async (index: number) => Number(await a.chain.records.statusOf(a.memberId, index));
  const pass = async (days: number) => {
    await s.consortium.chain.rpc("evm_increaseTime", [days * DAY]);
    await s.consortium.chain.rpc("evm_mine");
  };

  it("keeps entries from being retracted or amended, until custodian and patient lift it", async () => {
    const [first, second] = indices as [number, number];
    await place([first, second], 10);
    expect((await a.holds().list()).map(({ index, ended }) => [index, ended])).to.deep.equal([
      [first, false],
      [second, false],
    ]);
    const refused = await rejected("ERR_CHAIN_REFUSED", a.retract(first));
    expect(refused.values["reason"]).to.equal("StatusForbids");
    // The corrected version is taken; the held one keeps its status and stays readable as it is.
    const { sourceKey } = a.journal.details(a.journal.itemAt(first)!.id);
    const patient = a.vault.patient(person.patient).identifiers[0]!.value;
    const id = Number(sourceKey.split("/").at(-1));
    await a.ingest(linesSource(observations(patient, 1, id, "corrected")));
    expect(await statusOf(first)).to.equal(ENTRY_STATUS.HELD);
    await lift([first, second]);
    expect(await a.holds().list()).to.deep.equal([]);
    await a.retract(second);
  });

  it("is refused with another patient's signature, and for two patients at once", async () => {
    const other = await patientWith(s, 1);
    const [theirs] = a.journal.itemsOfPatient(other.patient).map(({ logIndex }) => logIndex!);
    const act = await a.holds().placing([theirs!], await until(10));
    const forged = await rejected(
      "ERR_CHAIN_REFUSED",
      a.holds().place(act, await signAs(person.device, act.typedData)),
    );
    expect(forged.values["reason"]).to.equal("SignatureInvalid");
    await rejected("ERR_USAGE", a.holds().placing([indices[0]!, theirs!], await until(10)));
    await rejected("ERR_USAGE", a.holds().placing([], await until(10)));
  });

  it("is used once: neither the same hold nor the same lift is taken again", async () => {
    const third = indices[2]!;
    const act = await a.holds().placing([third], await until(10));
    const signature = await signAs(person.device, act.typedData);
    await a.holds().place(act, signature);
    await rejected("ERR_CHAIN_REFUSED", a.holds().place(act, signature));
    await lift([third]);
  });

  it("is lifted by anyone once it ended, and not before", async () => {
    const third = indices[2]!;
    await place([third], 2);
    const early = await rejected("ERR_CHAIN_REFUSED", a.holds().liftEnded([third]));
    expect(early.values["reason"]).to.equal("HoldLasts");
    await pass(3);
    expect((await a.holds().list()).map(({ ended }) => ended)).to.deep.equal([true]);
    await a.holds().liftEnded([third]);
    expect(await statusOf(third)).to.equal(0);
  });

  it("is lifted by guardians and another member's reviewer, who needs nothing but their document", async () => {
    const { guardian } = await childOf(a, "child");
    await takeIn(a, observations("child", 1, 1));
    const [index] = a.journal
      .itemsIn(5)
      .slice(-1)
      .map(({ logIndex }) => logIndex!);
    const act = await a.holds().placing([index!], await until(10));
    await a.holds().place(act, await signAs(guardian, act.typedData));
    const { writer } = await newStaff(s.b, s.hospitals.b, ["REVIEWER"]);
    reviewers = new Holds({
      memberId: s.b.memberId,
      chain: s.b.chain,
      journal: s.b.journal,
      writer: () => writer,
    });
    await pass(1); // past the reviewer's waiting time
    const document = JSON.parse(JSON.stringify(await a.holds().lifting([index!]))) as HoldAct;
    await reviewers.lift(document, await signAs(guardian, document.typedData));
    expect(await statusOf(index!)).to.equal(0);
  });

  it("of a patient who signs himself is not lifted by another member's reviewer", async () => {
    const [, , third] = indices;
    await place([third!], 10);
    const act = await a.holds().lifting([third!]);
    const refused = await rejected(
      "ERR_CHAIN_REFUSED",
      reviewers.lift(act, await signAs(person.device, act.typedData)),
    );
    expect(refused.values["reason"]).to.equal("NotLifter");
    await lift([third!]);
  });
});

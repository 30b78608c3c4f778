// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { createHash } from "node:crypto";
import type { StaffSigner } from "../../src/chain/index.js";
import { EMERGENCY_LIMITS } from "../../src/chain/limits.js";
import { CHINESE_ACTS, ENGLISH_ACTS } from "../../src/audit/act-words.js";
import { csv, timeline } from "../../src/audit/index.js";
import { signAs } from "../../src/consent/index.js";
import { LeafKind, toHex, type Hex } from "../../src/crypto/index.js";
import type { ErasureCertificate } from "../../src/lifecycle/index.js";
import { ItemState } from "../../src/records/index.js";
import { rejected } from "../support/rejected.js";
import { openItem } from "../support/log-check.js";
import { lateStage, type LateStage } from "../support/chain-down.js";
import { officer } from "../support/emergency.js";

describe("an emergency while the chain is down", function () {
  this.timeout(180_000);
  let s: LateStage;

  before(async () => {
    s = await lateStage();
  });

  after(async () => {
    await s[Symbol.asyncDispose]();
  });

  const signed = async (changes: { patient?: Hex; colleague?: StaffSigner } = {}) => {
    const { patient, colleague } = { ...s, ...changes };
    const reason = "unconscious, chain down";
    const prepared = s.b.access.prepareWithoutChain({ patient, colleague: colleague.address, reason });
    const colleagueSignature = await signAs(colleague, prepared.typedData);
    return { prepared, colleagueSignature, custodian: 1, timeoutMs: 20_000 };
  };
  const ask = async (changes: Parameters<typeof signed>[0] = {}) =>
    await s.b.access.withoutChain(await signed(changes));
  let refused: Awaited<ReturnType<typeof signed>>;

  it("is refused while the chain runs", async () => {
    refused = await signed();
    const error = await rejected("ERR_CAPSULE_REFUSED", s.b.access.withoutChain(refused));
    expect(error.message).to.contain("the chain runs");
  });

  it("opens the exact records to two clinicians on the same signatures, and stands on chain, late, once the chain is back", async () => {
    await s.consortium.chain.down();
    const { windowId, opened } = await s.b.access.withoutChain(refused);
    expect(await textsOf(opened)).to.deep.equal(s.lines);
    const [kept] = s.a.vault.releases.unfiled();
    expect(kept?.windowId).to.equal(windowId);
    const receipts = s.a.journal.itemsIn(ItemState.SEALED).filter(({ ref }) => ref === kept!.windowId);
    expect(receipts.map(({ kind }) => kind)).to.deep.equal([LeafKind.ACCESS_RECEIPT]);
    await s.consortium.chain.up();
    await s.until((answer) => answer.event === "late-filed" && answer.windowId === windowId);
    expect(s.a.vault.releases.unfiled()).to.deep.equal([]);
    const [window] = await officer(s, s.officerB).list();
    expect(window).to.include({ windowId, late: true, justified: false, member: 2, custodian: 1 });

    const audit = await s.a.audit.disclosures({ patient: s.patient });
    expect(audit.complete).to.equal(true);
    const late = audit.entries.find(({ kind }) => kind === "glass-late");
    const { release } = JSON.parse(kept!.json) as { release: string };
    const releaseDigest = toHex(createHash("sha256").update(release).digest());
    expect(late).to.deep.include({ kind: "glass-late", member: 2 });
    expect(late).to.have.nested.property("details.release", releaseDigest);
    expect(late).to.have.nested.property("details.reader", s.b.signer("clinician").address.toLowerCase());
    expect(timeline(audit)).to.contain(ENGLISH_ACTS.kinds["glass-late"]);
    expect(timeline(audit, { language: "zh" })).to.contain(CHINESE_ACTS.kinds["glass-late"]);
    expect(csv(audit)).to.contain("glass-late").and.to.contain("released=");
  });

  it("lets nobody read through it afterwards", async () => {
    const [window] = await officer(s, s.officerB).list();
    const { emergencies } = s.b.chain;
    const error = await rejected(
      "ERR_CHAIN_REFUSED",
      s.b.chain.ask(() => emergencies.standingOf(window!.windowId, window!.reader)),
    );
    expect(error.values["reason"]).to.equal("WindowIsLate");
  });

  describe("while it is down again", () => {
    before(async () => {
      await s.refreshed();
      await s.consortium.chain.down();
    });

    after(async () => {
      await s.consortium.chain.up();
    });

    const refusedFor = async (why: string, changes: Parameters<typeof ask>[0]) => {
      const before = s.a.vault.releases.unfiled().length;
      const error = await rejected("ERR_CAPSULE_REFUSED", ask(changes));
      expect(error.message).to.contain(why);
      expect(s.a.vault.releases.unfiled()).to.have.length(before);
    };

    it("stays denied by the patient's directive", async () => {
      await refusedFor("denies emergencies", { patient: s.denying });
    });

    it("is refused to a pair of one person, and to a colleague who is revoked, new or no clinician", async () => {
      await refusedFor("one person", { colleague: s.b.signer("clinician") });
      await refusedFor("nobody's staff", { colleague: s.revoked });
      await refusedFor("still waits", { colleague: s.fresh });
      await refusedFor("does not have the role", { colleague: s.b.signer("operator") });
    });

    it("is refused for a patient of another custodian, of whom there is no record", async () => {
      await refusedFor("no record of this patient", { patient: `0x${"77".repeat(32)}` });
    });

    it("gives a person no more of them in a day than on chain, the filed one counted in", async () => {
      const { personQuota } = EMERGENCY_LIMITS;
      for (let times = 1; times < personQuota; times++) await ask();
      await refusedFor("used up", {});
    });

    it("stays denied by a directive that the patient told the custodian, and the chain has still to be told", async () => {
      const [patientId, signature] = [s.patient, `0x${"00".repeat(65)}`];
      const denial = {
        denyAll: false,
        denyEmergency: true,
        deniedCompartments: "0",
        nonce: "0",
        deadline: 1,
      };
      const withdrawal = { patientId, key: `0x${"11".repeat(32)}` as const };
      const json = JSON.stringify({ format: 1, kind: "directive", patientId, ...denial, signature });
      s.a.vault.withdrawals.add({ ...withdrawal, json });
      await refusedFor("denies emergencies", {});
      s.a.vault.withdrawals.told({ ...withdrawal, json });
    });
  });

  describe("once it is back again", () => {
    it("files each of them when the chain is back", async () => {
      while (s.a.vault.releases.unfiled().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const late = (await officer(s, s.officerB).list()).filter((window) => window.late);
      expect(late).to.have.length(3);
      const audit = await s.a.audit.disclosures({ patient: s.patient });
      expect(audit.complete).to.equal(true);
      expect(audit.entries.filter(({ kind }) => kind === "glass-late")).to.have.length(3);
    });

    it("has them named when a record is erased, and keeps nothing of what they held", async () => {
      const { a, patient } = s;
      const [item] = a.journal.itemsOfPatient(patient);
      const act = await a.erasures.prepare(item!.logIndex!, "patient");
      const erased = await a.erasures.carryOut(act, { signature: await signAs(s.device, act.typedData) });
      const { body } = await openItem(a, a.journal.itemAt(erased.certificateIndex)!);
      const { cannotBeRecalled } = JSON.parse(body.toString()) as ErasureCertificate;
      const windows = (await officer(s, s.officerB).list()).filter(({ late }) => late);
      expect(cannotBeRecalled.accesses.map(({ accessId }) => accessId)).to.have.members(
        windows.map(({ windowId }) => windowId),
      );
      for (const { accessId } of cannotBeRecalled.accesses) {
        expect(JSON.parse(a.vault.releases.get(accessId)!)).to.include({ release: "" });
        expect(await a.exchange.find(s.b.memberId, "late-release", accessId)).to.equal(undefined);
      }
    });
  });
});

async function textsOf(opened: Awaited<ReturnType<LateStage["b"]["access"]["withoutChain"]>>["opened"]) {
  const texts: string[] = [];
  for await (const record of opened.open()) {
    const parts: Uint8Array[] = [];
    for await (const part of record.body) parts.push(part);
    texts.push(Buffer.concat(parts).toString());
  }
  return texts;
}

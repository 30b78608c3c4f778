// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { parseRelease } from "../../src/access/message-bodies.js";
import { answerRequests } from "../../src/access/release-agent.js";
import { openCapsule, type Leaf } from "../../src/crypto/index.js";
import { withdrawKeys } from "../../src/ingest/item-events.js";
import { Asking, hashes } from "../support/asking.js";
import { linesSource, observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import {
  agentOf,
  asGovernance,
  grant,
  logAccess,
  newStaff,
  patientWith,
  requestFor,
  revoke,
  setDirective,
  sharing,
  takeIn,
  type Sharing,
} from "../support/sharing.js";

describe("an access whose permission changed since", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
  });

  it("is refused after the grant was revoked, also when it was made before", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket);
    await ask.released(access);
    const another = await logAccess(s, p.ticket);
    await revoke(s.a, p);
    expect((await ask.refused(access)).message).to.contain("TermsRevoked");
    expect((await ask.refused(another)).message).to.contain("TermsRevoked");
    expect(s.a.vault.releases.get(another.accessId)).to.equal(undefined);
  });

  it("is refused after the patient denied everything", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket);
    await setDirective(s.a, p, { denyAll: true });
    expect((await ask.refused(access)).message).to.contain("DirectiveDeniesAll");
  });

  it("leaves out a compartment that was denied after the access, and serves no release that holds it", async () => {
    const p = await patientWith(s, 1);
    const line = observation({ id: `secret-${p.patient}`, patient: ask.identifierOf(p) });
    await s.a.ingest(linesSource([line]), { compartment: "psychiatry" });
    const [open, secret] = ask.leaves(p) as [Leaf, Leaf];
    expect(secret.compartment).not.to.equal(open.compartment);
    const before = await logAccess(s, p.ticket, "CHART");
    expect((await ask.released(before)).capsules).to.have.length(2);
    const after = await logAccess(s, p.ticket, "CHART");
    const named = await ask.logRecords(p, [secret.index]);
    await setDirective(s.a, p, { deniedCompartments: [secret.compartment] });
    expect((await ask.refused(before)).message).to.contain(
      `entry ${secret.index} of its release is not permitted any more`,
    );
    expect((await ask.released(after)).capsules.map(({ leafHash }) => leafHash)).to.deep.equal(
      hashes([open]),
    );
    expect((await ask.refused(named)).message).to.contain("compartment that is not permitted");
  });

  it("is refused for what its source took back, also before the chain hears of it", async () => {
    const p = await patientWith(s, 2);
    const [first, second] = ask.leaves(p) as [Leaf, Leaf];
    const named = await ask.logRecords(p, [first.index]);
    const chart = await logAccess(s, p.ticket, "CHART");
    const { sourceKey } = s.a.journal.details(s.a.journal.itemAt(first.index)!.id);
    s.a.journal.database.transaction(() => withdrawKeys(s.a.journal, [sourceKey]));
    expect(await s.a.chain.records.statusOf(s.a.memberId, first.index)).to.equal(0n);
    expect((await ask.refused(named)).message).to.contain(`entry ${first.index} was withdrawn`);
    expect((await ask.released(chart)).capsules.map(({ leafHash }) => leafHash)).to.deep.equal(
      hashes([second]),
    );
    expect(await s.a.retry()).to.include({ retracted: 1 });
  });

  it("holds nothing of another patient, of a day outside the grant, or past the log head that was meant", async () => {
    const p = await patientWith(s, (patient) => [
      JSON.stringify({
        ...JSON.parse(observation({ id: `${patient}-old`, patient })),
        effectiveDateTime: "2010-01-01",
      }),
      observation({ id: `${patient}-new`, patient }),
    ]);
    const other = await patientWith(s, 1);
    const ticket = await grant(s.a, p.patient, p.device, {
      grantee: s.b.memberId,
      recordedFrom: new Date("2020-01-01"),
    });
    const access = await logAccess(s, ticket, "CHART");
    await takeIn(s.a, [observation({ id: `later-${p.patient}`, patient: ask.identifierOf(p) })]);
    const [, inside] = ask.leaves(p) as [Leaf, Leaf];
    const { capsules } = await ask.released(access);
    expect(capsules.map(({ leafHash }) => leafHash)).to.deep.equal(hashes([inside]));
    expect(capsules.map(({ leafHash }) => leafHash)).not.to.include(hashes(ask.leaves(other))[0]);
  });

  it("leaves a retracted entry out of a chart and refuses it where it was named", async () => {
    const p = await patientWith(s, 2);
    const [kept, wrong] = ask.leaves(p) as [Leaf, Leaf];
    const named = await ask.logRecords(p, [kept.index, wrong.index]);
    const chart = await logAccess(s, p.ticket, "CHART");
    await s.a.retract(wrong.index);
    expect((await ask.refused(named)).message).to.contain(`entry ${wrong.index} was withdrawn`);
    expect((await ask.released(chart)).capsules.map(({ leafHash }) => leafHash)).to.deep.equal(
      hashes([kept]),
    );
  });

  it("leaves an erased key out of a chart, and refuses it where the entry was named", async () => {
    const p = await patientWith(s, 2);
    const [kept, erased] = ask.leaves(p) as [Leaf, Leaf];
    const named = await ask.logRecords(p, [erased.index]);
    const chart = await logAccess(s, p.ticket, "CHART");
    s.a.vault.eraseKey(s.a.journal.itemAt(erased.index)!.recordId!);
    expect((await ask.answered(named)).error?.code).to.equal("ERR_KEY_ERASED");
    expect((await ask.released(chart)).capsules.map(({ leafHash }) => leafHash)).to.deep.equal(
      hashes([kept]),
    );
  });

  it("is sealed to the reader member's current key, not to the one of the time of the access", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket, "CHART");
    const old = s.b.vault.currentEpoch()!;
    // The request offers the old key, which the chain no longer has.
    const request = requestFor(s, access);
    await request;
    const epoch = await s.b.members.publishKey(s.hospitals.b.admin, s.b.memberId, s.b.vault);
    expect(epoch).to.equal(old + 1);
    const { message } = await ask.answered(access, request);
    const { capsules, index } = parseRelease(message);
    expect([index, ...capsules].map((envelope) => envelope?.keyEpoch)).to.deep.equal([epoch, epoch]);
    const binding = {
      chainId: s.b.chain.chainId,
      accessLog: s.b.chain.deployment.accessLog,
      accessId: access.accessId,
    };
    const [leaf] = ask.leaves(p) as [Leaf];
    await openCapsule(capsules[0], { ...binding, leaf, secretKey: s.b.vault.memberSecretKey(epoch) });
    const withOld = openCapsule(capsules[0], { ...binding, leaf, secretKey: s.b.vault.memberSecretKey(old) });
    await rejected("ERR_CAPSULE_REFUSED", withOld);
  });

  it("is refused while the reader's member withdrew its key, and never served again under a key that was replaced", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket, "CHART");
    await ask.released(access);
    const { admin, memberId } = s.hospitals.b;
    await s.b.members.withdrawKey(admin, memberId, new Date(0));
    const without = await ask.answered(access);
    expect(without.error?.message).to.contain("no usable encryption key");
    const epoch = await s.b.members.publishKey(admin, memberId, s.b.vault);
    const stale = await ask.answered(access);
    expect(stale.error?.message).to.contain(`sealed to key epoch ${epoch - 1}`);
    const { index } = await ask.released(await logAccess(s, p.ticket, "CHART"));
    expect(index?.keyEpoch).to.equal(epoch);
  });

  it("is refused to a clinician who was dismissed after the access", async () => {
    const p = await patientWith(s, 1);
    const { signer, writer } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    const access = await logAccess(s, p.ticket, "INDEX", writer);
    await s.b.members.revokeStaff(s.hospitals.b.admin, signer.address, new Date(0), "LEFT");
    const { error } = await ask.answered(access, requestFor(s, access, { signer }));
    expect(error?.message).to.contain("the contract says StaffIsRevoked");
  });

  it("is refused to a member that was suspended from reading after the access", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket);
    const { members } = s.a.chain;
    await asGovernance(s, await members.setSuspension.populateTransaction(s.b.memberId, 1));
    try {
      expect((await ask.refused(access)).message).to.contain("the contract says MemberSuspended");
    } finally {
      await asGovernance(s, await members.setSuspension.populateTransaction(s.b.memberId, 0));
    }
  });

  it("is refused by a member that is not the patient's custodian", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket);
    const request = await requestFor(s, access, { message: { to: s.c.memberId } });
    await s.b.exchange.send(request);
    const [answer] = await answerRequests(agentOf(s.c));
    expect(answer?.error?.message).to.contain(`member ${s.a.memberId} keeps this patient's records`);
    expect(s.c.vault.releases.get(access.accessId)).to.equal(undefined);
  });

  it("is refused when the access, or the grant behind it, is too old", async () => {
    const p = await patientWith(s, 1);
    // By the chain's clock, which other tests may have put forward.
    const { timestamp } = (await s.a.chain.provider.getBlock("latest"))!;
    const soon = new Date((timestamp + 10 * 60) * 1_000);
    const short = await grant(s.a, p.patient, p.device, { grantee: s.b.memberId, notAfter: soon });
    const old = await logAccess(s, p.ticket);
    await ask.released(old);
    const shortly = await logAccess(s, short);
    const { rpc } = s.consortium.chain;
    await rpc("evm_increaseTime", [11 * 60]);
    await rpc("evm_mine");
    expect((await ask.refused(shortly)).message).to.contain("the grant is not valid now");
    expect((await ask.answered(old)).error).to.equal(undefined);
    await rpc("evm_increaseTime", [5 * 60]);
    await rpc("evm_mine");
    expect((await ask.refused(old)).message).to.contain("more than 15 minutes ago");
  });
});

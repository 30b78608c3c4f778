// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { TypedDataEncoder, Wallet } from "ethers";
import { answerRequest } from "../../src/access/answer-request.js";
import { CustodianAgent } from "../../src/access/custodian-agent.js";
import type { Message } from "../../src/access/message.js";
import { signMessage } from "../../src/access/messages.js";
import { Relay } from "../../src/access/relay.js";
import { Chain, Writer, type StaffSigner } from "../../src/chain/index.js";
import { signAs } from "../../src/consent/index.js";
import type { Hex, Leaf } from "../../src/crypto/index.js";
import { Asking, hashes } from "../support/asking.js";
import { listening, post, serving, type Listening } from "../support/listening.js";
import { openHospital } from "../support/hospital.js";
import { rejected } from "../support/rejected.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import {
  type PatientDevice,
  agentOf,
  grant,
  logAccess,
  patientWith,
  requestFor,
  revoke,
  setDirective,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";
import { observation, linesSource } from "../support/observations.js";

describe("what a patient tells a release agent directly", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;
  let agent: Listening;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
    agent = await listening(agentOf(s.a));
  });
  after(() => agent[Symbol.asyncDispose]());

  const desk = () =>
    new CustodianAgent({ chain: s.b.chain, custodian: s.a.memberId, addresses: [agent.address] });

  async function tellRevocation(
    p: SharedPatient,
    device: PatientDevice = p.device,
    termsHash = p.ticket.termsHash,
  ) {
    const data = s.a.consent.revocation(p.patient, termsHash);
    return await desk().revoke(p.patient, termsHash, await signAs(device, data));
  }

  async function tellDirective(p: SharedPatient, directive: Parameters<typeof s.a.consent.directive>[0]) {
    const data = await s.a.consent.directive(directive);
    return await desk().setDirective(data, await signAs(p.device, data));
  }

  const relayed = async () => {
    const { chain, vault: state } = s.a;
    const errors: unknown[] = [];
    await new Relay({ chain, state, writer: s.a.writer("releaser") }).look((error) => errors.push(error));
    return errors;
  };

  it("is a revocation that counts at once for every access under the terms, made before or after, and for no other", async () => {
    const p = await patientWith(s, 1);
    const other = await grant(s.a, p.patient, p.device, { grantee: s.b.memberId });
    const before = await logAccess(s, p.ticket);
    await ask.released(before);
    const told = await tellRevocation(p);
    expect(told).to.deep.include({ format: 1, patientId: p.patient, kind: "revocation", onChain: false });
    const after = await logAccess(s, p.ticket); // the chain does not know yet
    for (const access of [before, after])
      expect((await ask.refused(access)).message).to.contain("the patient revoked the grant");
    await ask.released(await logAccess(s, other));
  });

  it("is told to the chain by the agent, and said to be there when it is", async () => {
    const p = await patientWith(s, 1);
    await tellRevocation(p);
    expect(await relayed()).to.deep.equal([]);
    const { revokedAt } = await s.a.chain.consents.grantOf(p.patient, p.ticket.termsHash);
    expect(revokedAt).not.to.equal(0n);
    expect(s.a.vault.withdrawals.waiting()).to.deep.equal([]);
    expect((await tellRevocation(p)).onChain).to.equal(true);
    expect(s.a.vault.withdrawals.waiting()).to.deep.equal([]);
  });

  it("is not forgotten when the agent ends, nor by another that shares its vault", async () => {
    const p = await patientWith(s, 1);
    await tellRevocation(p);
    const access = await logAccess(s, p.ticket);
    await using again = await openHospital(s.hospitals.a);
    const { answer } = await answerRequest(agentOf(again), await requestFor(s, access));
    expect(answer.error?.message).to.contain("the patient revoked the grant");
    expect(again.vault.withdrawals.waiting()).to.have.length(1);
    await relayed();
  });

  it("counts while the chain cannot be told, and is told later", async () => {
    const p = await patientWith(s, 1);
    await tellRevocation(p);
    await using proxy = await RpcProxy.before(s.consortium.chain.url);
    using chain = Chain.open({ url: proxy.url, deployment: s.consortium.deployment, callTimeoutMs: 400 });
    const writer = new Writer(chain, s.a.signer("releaser"));
    proxy.intercept = () => "drop";
    const relay = new Relay({ chain, state: s.a.vault, writer });
    const errors: { code?: string }[] = [];
    await relay.look((error) => errors.push(error as { code?: string }));
    expect(errors.map(({ code }) => code)).to.deep.equal(["ERR_RPC_UNAVAILABLE"]);
    await relay.look(() => expect.fail("it was not put off"));
    expect((await ask.refused(await logAccess(s, p.ticket))).message).to.contain("revoked");
    expect(await relayed()).to.deep.equal([]);
  });

  it("does nothing when somebody else signed it, or it is another patient's, another custodian's, or altered", async () => {
    const p = await patientWith(s, 1);
    const other = await patientWith(s, 1);
    const forged = await rejected("ERR_EXCHANGE_INVALID", tellRevocation(p, other.device));
    expect(forged.message).to.contain("SignatureInvalid");
    const stranger = Wallet.createRandom();
    const data = s.a.consent.revocation(p.patient, p.ticket.termsHash);
    const signature = (await stranger.signTypedData(data.domain, data.types, data.message)) as Hex;
    await rejected("ERR_EXCHANGE_INVALID", desk().revoke(p.patient, p.ticket.termsHash, signature));
    await rejected("ERR_EXCHANGE_INVALID", desk().revoke(p.patient, p.ticket.termsHash, "0x00"));
    await rejected(
      "ERR_EXCHANGE_INVALID",
      desk().revoke(p.patient, p.ticket.termsHash, signature, stranger.address.toLowerCase() as Hex),
    );
    // Rightly signed, for other terms.
    await tellRevocation(p, p.device, other.ticket.termsHash);
    const right = await signAs(p.device, data);
    await using elsewhere = await listening(agentOf(s.c));
    const there = new CustodianAgent({
      chain: s.b.chain,
      custodian: s.c.memberId,
      addresses: [elsewhere.address],
    });
    const { message } = await rejected(
      "ERR_EXCHANGE_INVALID",
      there.revoke(p.patient, p.ticket.termsHash, right),
    );
    expect(message).to.contain("another member keeps");
    await ask.released(await logAccess(s, p.ticket));
    await relayed();
  });

  it("is a directive whose denials count at once, and which permits nothing before the chain does", async () => {
    const p = await patientWith(s, 1);
    const line = observation({ id: `secret-${p.patient}`, patient: ask.identifierOf(p) });
    await s.a.ingest(linesSource([line]), { compartment: "psychiatry" });
    const [open, secret] = ask.leaves(p) as [Leaf, Leaf];
    await tellDirective(p, { patient: p.patient, deniedCompartments: [secret.compartment] });
    const chart = await ask.released(await logAccess(s, p.ticket, "CHART"));
    expect(chart.capsules.map(({ leafHash }) => leafHash)).to.deep.equal(hashes([open]));
    await tellDirective(p, { patient: p.patient, denyAll: true });
    expect((await ask.refused(await logAccess(s, p.ticket))).message).to.contain("the patient denies all");

    await relayed();
    const { denyAll } = await s.a.chain.consents.directiveOf(p.patient);
    expect(denyAll).to.equal(true); // of two with one number, what the patient said last
    // Once a later directive is on chain, what was told before it is over.
    await setDirective(s.a, p, {});
    await ask.released(await logAccess(s, p.ticket, "CHART"));
    await setDirective(s.a, p, { denyAll: true });
    const told = await tellDirective(p, { patient: p.patient });
    expect(told.onChain).to.equal(false);
    await rejected("ERR_CHAIN_REFUSED", logAccess(s, p.ticket));
    await relayed();
    await ask.released(await logAccess(s, p.ticket));
  });

  it("is refused when it is malformed, or old, without a stack", async () => {
    const p = await patientWith(s, 1);
    const data = await s.a.consent.directive({ patient: p.patient, denyAll: true });
    const signature = await signAs(p.device, data);
    await setDirective(s.a, p, {});
    const old = await rejected("ERR_EXCHANGE_INVALID", desk().setDirective(data, signature));
    expect(old.message).to.contain("a later directive stands");
    for (const body of [
      "",
      "null",
      "[]",
      '{"format":1}',
      '{"format":1,"kind":"__proto__"}',
      '{"format":1,"kind":"grant"}',
    ]) {
      const { status, text, error } = await post(agent.address, body, "/v1/withdrawals");
      expect([status, error.code]).to.deep.equal([400, "ERR_EXCHANGE_INVALID"]);
      expect(text).not.to.match(/\\n|\.ts:/);
    }
    expect((await post(agent.address, '{"format":2}', "/v1/withdrawals")).error.code).to.equal(
      "ERR_FORMAT_UNSUPPORTED",
    );
  });

  it("is limited for each patient, by what he signed himself", async () => {
    const p = await patientWith(s, 1);
    const other = await patientWith(s, 1);
    const hash = (number: number): Hex => `0x${number.toString(16).padStart(64, "0")}`;
    for (let number = 1; number <= 30; number++)
      await rejected("ERR_EXCHANGE_INVALID", tellRevocation(p, other.device, hash(number)));
    for (let number = 1; number <= 20; number++) await tellRevocation(p, p.device, hash(number));
    const error = await rejected("ERR_RATE_LIMITED", tellRevocation(p));
    expect(error.values["retryAfter"]).to.be.within(50, 60);
    await tellRevocation(p, p.device, hash(1)); // said before: it costs nothing
    await tellRevocation(other);
    await relayed();
  });

  it("is acknowledged by the custodian's own signature, and by no other's", async () => {
    const p = await patientWith(s, 1);
    const data = s.a.consent.revocation(p.patient, p.ticket.termsHash);
    const signature = await signAs(p.device, data);
    const id = TypedDataEncoder.hash(data.domain, data.types, data.message) as Hex;
    const body = JSON.stringify({
      format: 1,
      patientId: p.patient,
      kind: "revocation",
      heardAt: 1,
      onChain: true,
    });
    for (const [signer, changes] of [
      [s.c.signer("releaser"), {}],
      [s.a.signer("operator"), {}],
      [s.a.signer("releaser"), { id: p.patient }],
      [s.a.signer("releaser"), { to: s.b.memberId }],
      [s.a.signer("releaser"), { type: "refusal" }],
    ] as [StaffSigner, Partial<Message>][]) {
      const message = { type: "acknowledgement" as const, id, from: s.a.memberId, to: 0, body, ...changes };
      const signed = await signMessage(s.a.chain, signer, message);
      await using liar = await serving((_, response) => response.end(JSON.stringify(signed)));
      const there = new CustodianAgent({
        chain: s.b.chain,
        custodian: s.a.memberId,
        addresses: [liar.address],
      });
      await rejected("ERR_EXCHANGE_INVALID", there.revoke(p.patient, p.ticket.termsHash, signature));
    }
    await revoke(s.a, p);
    expect((await tellRevocation(p)).onChain).to.equal(true);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { CustodianAgent } from "../../src/access/custodian-agent.js";
import { signMessage } from "../../src/access/messages.js";
import { Peers, SENDER_HEADER, sha256 } from "../../src/access/peers.js";
import { Relay } from "../../src/access/relay.js";
import { toldKey, type Told } from "../../src/access/withdrawal.js";
import { Chain, Writer, type StaffSigner } from "../../src/chain/index.js";
import { signAs } from "../../src/consent/index.js";
import { Asking } from "../support/asking.js";
import { listening, post, serving, type Listening } from "../support/listening.js";
import { rejected } from "../support/rejected.js";
import {
  agentOf,
  logAccess,
  patientWith,
  revoke,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

const DEAD = "http://127.0.0.1:1"; // tcpmux: nobody listens there

describe("what a patient tells an agent that counts blocks only when they are three deep", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;
  let chain: Chain;
  let agent: Listening;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
    const { deployment } = s.consortium;
    chain = Chain.open({ url: s.consortium.chain.url, deployment, confirmations: 3 });
    agent = await listening(agentOf(s.a, { chain }));
  });
  after(async () => {
    await agent[Symbol.asyncDispose]();
    chain[Symbol.dispose]();
  });

  async function tell(p: SharedPatient, signed = p) {
    const { memberId: custodian } = s.a;
    const desk = new CustodianAgent({ chain: s.b.chain, custodian, addresses: [agent.address] });
    const { termsHash } = p.ticket;
    const signature = await signAs(signed.device, s.a.consent.revocation(p.patient, termsHash));
    return await desk.revoke(p.patient, termsHash, signature);
  }

  const mine = () => s.consortium.chain.rpc("evm_mine");
  const waiting = () => s.a.vault.withdrawals.waiting().length;
  const relay = async () => {
    const writer = new Writer(chain, s.a.signer("releaser"));
    await new Relay({ chain, state: s.a.vault, writer }).look((error) => expect.fail(String(error)));
  };
  const revoked = async ({ patient, ticket }: SharedPatient) =>
    (await s.a.chain.consents.grantOf(patient, ticket.termsHash)).revokedAt !== 0n;

  it("is a revocation that is kept while a reorganisation could take it off the chain, and then said to be there", async () => {
    const p = await patientWith(s, 1);
    await revoke(s.a, p);
    for (let deep = 1; deep < 3; deep++) {
      expect((await tell(p)).onChain).to.equal(false);
      await relay();
      expect(waiting()).to.equal(1);
      await mine();
    }
    expect((await tell(p)).onChain).to.equal(true);
    await relay();
    expect(waiting()).to.equal(0);
  });

  it("need not be kept when it is as deep already", async () => {
    const p = await patientWith(s, 1);
    await revoke(s.a, p);
    await mine();
    await mine();
    expect((await tell(p)).onChain).to.equal(true);
    expect(s.a.vault.withdrawals.of(p.patient)).to.deep.equal([]);
  });

  it("is a revocation that no reorganisation undoes: it counts, and is relayed again", async () => {
    const p = await patientWith(s, 1);
    const { rpc } = s.consortium.chain;
    const snapshot = await rpc("evm_snapshot");
    await revoke(s.a, p);
    await tell(p);
    await relay();
    await rpc("evm_revert", [snapshot]);
    s.a.writer("operator").forgetNonces();
    await mine();
    expect(await revoked(p)).to.equal(false);
    expect((await ask.refused(await logAccess(s, p.ticket))).message).to.contain(
      "the patient revoked the grant",
    );
    await relay();
    expect(await revoked(p)).to.equal(true);
    await mine();
    await mine();
    await relay();
    expect(waiting()).to.equal(0);
  });

  it("is kept only if who may signed it, though it is on chain", async () => {
    const p = await patientWith(s, 1);
    const other = await patientWith(s, 1);
    await revoke(s.a, p);
    const { message } = await rejected("ERR_EXCHANGE_INVALID", tell(p, other));
    expect(message).to.contain("SignatureInvalid");
    expect(waiting()).to.equal(0);
  });

  describe("handed on", () => {
    let told: Told;
    let text: string;
    let p: SharedPatient;

    beforeEach(async () => {
      p = await patientWith(s, 1);
      const { patient: patientId, ticket } = p;
      const { termsHash } = ticket;
      const signature = await signAs(p.device, s.a.consent.revocation(patientId, termsHash));
      told = { format: 1, kind: "revocation", patientId, termsHash, signature };
      text = JSON.stringify(told);
    });

    it("is acknowledged to nobody who says that another agent has it already", async () => {
      const { memberId } = s.a;
      const peers = new Peers({ memberId, chain, signer: s.a.signer("releaser"), addresses: [DEAD] });
      await using first = await listening(agentOf(s.a), { tellPeers: (said) => peers.tell(said) });
      const headers = { "content-type": "application/json", "x-chartseal-forwarded": "1" };
      const { status, error } = await post(first.address, text, "/v1/withdrawals", headers);
      expect([status, error.code]).to.deep.equal([503, "ERR_TIMEOUT"]);
      await relay();
    });

    it("is taken from this member's agents alone, as they signed for it, and goes no further", async () => {
      let further = 0;
      const tellPeers = async () => ((further += 1), true);
      await using first = await listening(agentOf(s.a), { tellPeers });
      const place = {
        type: "replica" as const,
        id: toldKey(chain, told),
        from: s.a.memberId,
        to: s.a.memberId,
      };
      const send = async (signer: StaffSigner, changes: object = {}, digest = sha256(text)) => {
        const body = JSON.stringify({ format: 1, digest });
        const message = await signMessage(chain, signer, { ...place, body, ...changes });
        const sender = Buffer.from(JSON.stringify(message)).toString("base64url");
        const headers = { "content-type": "application/json", [SENDER_HEADER]: sender };
        return (await post(first.address, text, "/v1/peer/withdrawals", headers)).status;
      };
      const releaser = s.a.signer("releaser");
      expect((await post(first.address, text, "/v1/peer/withdrawals")).status).to.equal(400);
      expect(await send(s.a.signer("operator"))).to.equal(400);
      expect(await send(s.c.signer("releaser"))).to.equal(400);
      expect(await send(s.c.signer("releaser"), { from: s.c.memberId, to: s.c.memberId })).to.equal(400);
      expect(await send(releaser, { type: "acknowledgement" })).to.equal(400);
      expect(await send(releaser, { id: p.patient })).to.equal(400);
      expect(await send(releaser, {}, p.patient)).to.equal(400);
      expect(s.a.vault.withdrawals.of(p.patient)).to.deep.equal([]);
      expect(await send(releaser)).to.equal(200);
      expect(s.a.vault.withdrawals.of(p.patient)).to.have.length(1);
      expect(further).to.equal(0);
      await relay();
    });

    it("counts as handed on only by an answer of this member's agent about this very withdrawal", async () => {
      const place = {
        type: "replica" as const,
        id: toldKey(chain, told),
        from: s.a.memberId,
        to: s.a.memberId,
      };
      const right = { ...place, body: JSON.stringify({ format: 1, digest: sha256(text) }) };
      const other = JSON.stringify({ format: 1, digest: sha256("another") });
      const releaser = s.a.signer("releaser");
      const answers: [StaffSigner, object, boolean][] = [
        [releaser, {}, true],
        [releaser, { body: other }, false],
        [releaser, { id: p.patient }, false],
        [releaser, { to: 0 }, false],
        [releaser, { type: "acknowledgement" }, false],
        [s.a.signer("operator"), {}, false],
        [s.c.signer("releaser"), { from: s.c.memberId, to: s.c.memberId }, false],
      ];
      for (const [signer, changes, taken] of answers) {
        const signed = await signMessage(chain, signer, { ...right, ...changes });
        await using second = await serving((_, response) => response.end(JSON.stringify(signed)));
        const addresses = [second.address];
        const peers = new Peers({ memberId: s.a.memberId, chain, signer: releaser, addresses });
        expect(await peers.tell(text), JSON.stringify(changes)).to.equal(taken);
      }
    });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import { Access, HttpExchange, type Exchange, type LateAccess } from "../../src/access/index.js";
import { FolderExchange } from "../../src/access/folder-exchange.js";
import { lookUp } from "../../src/access/lookups.js";
import { MessageDesk } from "../../src/access/message-desk.js";
import type { Message, MessageType } from "../../src/access/message.js";
import { signMessage } from "../../src/access/messages.js";
import { keySigner, type StaffSigner } from "../../src/chain/index.js";
import { signAs } from "../../src/consent/index.js";
import { toHex, type Hex } from "../../src/crypto/index.js";
import { lateStage, type LateStage } from "../support/chain-down.js";
import { listening, post } from "../support/listening.js";
import { rejected } from "../support/rejected.js";
import { agentOf } from "../support/sharing.js";

const PATH = "/v1/messages";

describe("members that share no folder", function () {
  this.timeout(180_000);
  let s: LateStage;
  let folder: string;

  before(async () => {
    s = await lateStage();
    folder = mkdtempSync(join(tmpdir(), "chartseal-own-folder-"));
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await s[Symbol.asyncDispose]();
  });

  /** By agents alone: the folder is nobody else's. */
  const over = (memberId: number, address: string): Exchange =>
    new HttpExchange({ agents: new Map([[memberId, [address]]]), otherwise: new FolderExchange(folder) });

  const signed = async (type: MessageType, signer: StaffSigner, changes: Partial<Message> = {}) => {
    const id = toHex(randomBytes(32));
    return await signMessage(s.a.chain, signer, { type, id, from: 2, to: 1, body: "{}", ...changes });
  };

  it("find a patient at each other", async () => {
    const reader = () => ({ writer: s.b.writer("clinician"), signer: s.b.signer("clinician") });
    const parts = { memberId: 2, chain: s.b.chain, exchange: over(1, s.address), reader };
    const identifier = { system: "fhir:Patient", value: "emergency-1" };
    const custodians = [1, 99];
    expect(await lookUp(parts, identifier, { custodians, timeoutMs: 10_000 })).to.deep.equal([
      { custodian: 1, patient: s.patient, answered: true },
      { custodian: 99, answered: false },
    ]);
  });

  it("send each other tickets", async () => {
    await using agent = await listening(agentOf(s.b));
    const id: Hex = toHex(randomBytes(32));
    const ticket = await signed("ticket", s.a.signer("operator"), { id, from: 1, to: 2 });
    await over(2, agent.address).send(ticket);
    expect(await s.b.exchange.find(2, "ticket", id)).to.deep.equal(ticket);
  });

  const accessAt = (address: string) => {
    const { memberId, chain, vault, store } = s.b;
    const reader = () => ({ writer: s.b.writer("clinician"), signer: s.b.signer("clinician") });
    return new Access({ memberId, chain, vault, store, exchange: over(1, address), reader });
  };

  /** What two clinicians signed. */
  const bothSigned = async () => {
    const { patient, colleague } = s;
    const reason = "unconscious, chain down";
    const prepared = s.b.access.prepareWithoutChain({ patient, colleague: colleague.address, reason });
    const colleagueSignature = await signAs(colleague, prepared.typedData);
    return { prepared, colleagueSignature, custodian: 1, timeoutMs: 60_000 };
  };

  const textsOf = async ({ opened }: LateAccess) => {
    const texts: string[] = [];
    for await (const { body } of opened.open())
      texts.push(Buffer.concat(await Array.fromAsync(body)).toString());
    return texts;
  };

  it("read on the same signatures what was refused while the chain ran, once it is down", async () => {
    const late = await bothSigned();
    const refused = await rejected("ERR_CAPSULE_REFUSED", accessAt(s.address).withoutChain(late));
    expect(refused.message).to.contain("the chain runs");
    await s.consortium.chain.down();
    try {
      const released = await accessAt(s.address).withoutChain(late);
      expect(await textsOf(released)).to.deep.equal(s.lines);
    } finally {
      await s.consortium.chain.up();
    }
  });

  it("are told again what was answered while they were told to ask again, and after that ask anew", async () => {
    const own = new FolderExchange(folder);
    let [sent, stop] = [0, new AbortController()];
    const send = async (message: Message) => {
      await own.send(message);
      sent += 1;
      stop.abort(); // nobody works on it: held no longer
    };
    const find = own.find.bind(own);
    const exchange = { send, find, receive: own.receive.bind(own), remove: own.remove.bind(own) };
    const desk = new MessageDesk(agentOf(s.a, { exchange }));
    const request = await signed("late-request", s.b.signer("clinician"));
    const held = async () => {
      stop = new AbortController();
      const error = await rejected("ERR_CAPSULE_REFUSED", desk.take(request, stop.signal));
      expect(error.retryable).to.equal(true);
    };
    const answer = async (type: "refusal" | "late-release") => {
      const { id } = request;
      await own.send(await signed(type, s.a.signer("releaser"), { id, from: 1, to: 2 }));
    };
    const told = async () => (await desk.take(request, new AbortController().signal))?.type;
    await held();
    await answer("refusal");
    expect(await told()).to.equal("refusal");
    expect(sent).to.equal(1);
    await held();
    expect(await own.find(2, "refusal", request.id)).to.equal(undefined);
    expect(sent).to.equal(2);
    await answer("late-release");
    expect([await told(), await told()]).to.deep.equal(["late-release", "late-release"]);
    expect(sent).to.equal(2);
  });

  it("read in an emergency while the chain is down, once an agent is started without it, too", async () => {
    await s.consortium.chain.down();
    try {
      // It never saw the chain; the one that keeps the journal answers.
      await using started = await listening(agentOf(s.a));
      const released = await accessAt(started.address).withoutChain(await bothSigned());
      expect(await textsOf(released)).to.deep.equal(s.lines);
      const stranger = keySigner(Wallet.createRandom().privateKey);
      const refused = await post(s.address, JSON.stringify(await signed("late-request", stranger)), PATH);
      expect(refused).to.deep.include({ status: 403 });
      expect(refused.error.message).to.contain("nobody's staff");
    } finally {
      await s.consortium.chain.up();
    }
  });

  it("take nothing from strangers, in others' names, for others, or of another kind", async () => {
    const stranger = keySigner(Wallet.createRandom().privateKey);
    const [clinician, operator] = [s.b.signer("clinician"), s.b.signer("operator")];
    const wrong: Record<string, Message> = {
      "a stranger's lookup": await signed("lookup", stranger),
      "a stranger's ticket": await signed("ticket", stranger),
      "a lookup by no clinician": await signed("lookup", operator),
      "a ticket by no operator": await signed("ticket", clinician),
      "a lookup in another's name": await signed("lookup", clinician, { from: 1 }),
      "an emergency in another's name": await signed("late-request", clinician, { from: 1 }),
      "a lookup for another": await signed("lookup", clinician, { to: 3 }),
      "a release": await signed("release", s.b.signer("releaser")),
      "a request, past its own path": await signed("request", clinician),
      "an altered lookup": { ...(await signed("lookup", clinician)), body: "{ }" },
    };
    for (const [what, message] of Object.entries(wrong)) {
      const { status, error } = await post(s.address, JSON.stringify(message), PATH);
      expect([status, error.code], what).to.deep.equal([400, "ERR_EXCHANGE_INVALID"]);
      expect(await s.a.exchange.find(message.to, message.type, message.id), what).to.equal(undefined);
    }
  });

  it("are sent on to another agent by a standby, and slowed down when they send too much", async () => {
    const standby = new MessageDesk(agentOf(s.a, { files: false }));
    const { signal } = new AbortController();
    const clinician = s.b.signer("clinician");
    const later = await rejected(
      "ERR_CAPSULE_REFUSED",
      standby.take(await signed("lookup", clinician), signal),
    );
    expect(later.retryable).to.equal(true);
    const desk = new MessageDesk(agentOf(s.b), { burst: 2, perSecond: 0.001 });
    const ticket = () => signed("ticket", s.a.signer("operator"), { from: 1, to: 2 });
    await desk.take(await ticket(), signal);
    await desk.take(await ticket(), signal);
    const error = await rejected("ERR_RATE_LIMITED", desk.take(await ticket(), signal));
    expect(error.values["retryAfter"]).to.equal(1_000);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runAgentService, type ReleaseAgentOptions } from "../../src/access/agent-service.js";
import { answerRequest } from "../../src/access/answer-request.js";
import { CustodianAgent } from "../../src/access/custodian-agent.js";
import type { Message } from "../../src/access/message.js";
import { signMessage } from "../../src/access/messages.js";
import { OwedReceipts } from "../../src/access/owed-receipts.js";
import { Peers, SENDER_HEADER, sha256 } from "../../src/access/peers.js";
import type { AgentParts } from "../../src/access/release-agent.js";
import { Relay } from "../../src/access/relay.js";
import { copyVault } from "../../src/access/vault-copies.js";
import { Chartseal } from "../../src/chartseal.js";
import type { StaffSigner } from "../../src/chain/index.js";
import { signAs } from "../../src/consent/index.js";
import { LeafKind, type Leaf } from "../../src/crypto/index.js";
import { Entries, Journal } from "../../src/records/index.js";
import { Vault } from "../../src/vault/index.js";
import { createVaultFile } from "../../src/vault/vault-file.js";
import { Asking } from "../support/asking.js";
import { exchangeOver, listening, post, readerOver, type Listening } from "../support/listening.js";
import { observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import {
  agentOf,
  logAccess,
  patientWith,
  requestFor,
  revoke,
  sharing,
  takeIn,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";
import { UNLOCK, VAULT_COST } from "../support/hospital.js";

const DEAD = "http://127.0.0.1:1"; // tcpmux: nobody listens there

describe("two release agents of one custodian", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;
  let copies: string;
  let standby: Chartseal;
  let state: Vault;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
    copies = join(s.hospitals.a.folder, "copies");
    await copyVault(s.a, copies);
    const folder = join(s.consortium.folder, "standby");
    mkdirSync(folder);
    const config = JSON.parse(readFileSync(s.hospitals.a.config, "utf8")) as object;
    const files = { vault: "../a/copies/current/vault.db", journal: "../a/copies/current/journal.db" };
    writeFileSync(join(folder, "chartseal.json"), JSON.stringify({ ...config, ...files }));
    await createVaultFile(join(folder, "state.db"), UNLOCK, VAULT_COST);
    state = await Vault.open(join(folder, "state.db"), UNLOCK);
    standby = await Chartseal.open(join(folder, "chartseal.json"), { unlock: UNLOCK });
  });
  after(async () => {
    state[Symbol.dispose]();
    await standby[Symbol.asyncDispose]();
  });

  /** What the copies know is brought up to date, without the agent's own following. */
  async function refresh(): Promise<void> {
    await s.a.retry();
    await copyVault(s.a, copies);
    await standby[Symbol.asyncDispose]();
    standby = await Chartseal.open(join(s.consortium.folder, "standby/chartseal.json"), { unlock: UNLOCK });
  }

  const peersAt = (...addresses: string[]) => {
    const { memberId, chain } = s.a;
    return new Peers({ memberId, chain, signer: s.a.signer("releaser"), addresses });
  };
  const primaryParts = (peers: Peers): AgentParts =>
    agentOf(s.a, { agree: (access, stored) => peers.agree(access, stored) });
  function standbyParts(peers: Peers): AgentParts {
    const owed = new OwedReceipts(state, peers);
    const fileReceipt = async (receipt: Parameters<OwedReceipts["add"]>[0]) => owed.add(receipt);
    return agentOf(standby, {
      ...primaryParts(peers),
      ...{ vault: standby.vault, journal: standby.journal },
      state,
      files: false,
      fileReceipt,
    });
  }

  const receiptsOf = async ({ patient }: SharedPatient) => {
    await s.a.retry();
    const entries = new Entries(s.a.journal, s.a.memberId);
    const leaves = s.a.journal.itemsOfPatient(patient).map((item) => entries.leaf(item));
    return leaves.filter(({ kind }) => kind === LeafKind.ACCESS_RECEIPT).map(({ ref }) => ref);
  };

  const body = (message: Message | undefined) => message?.body;

  it("give the same for an access: what one gave, the other gives when the first is dead", async () => {
    const p = await patientWith(s, 2);
    await refresh();
    const request = await requestFor(s, await logAccess(s, p.ticket, "CHART"));
    await using second = await listening(standbyParts(peersAt(DEAD)));
    const first = await answerRequest(primaryParts(peersAt(second.address)), request);
    expect(first.message?.type).to.equal("release");
    const answer = await post(second.address, JSON.stringify(request));
    expect(JSON.parse(answer.text)).to.deep.equal(first.message);
    expect(await receiptsOf(p)).to.deep.equal([request.id]);
  });

  it("let records open when the first is dead, and have the receipt filed when it is back, which then gives the same", async () => {
    const p = await patientWith(s, 2);
    await refresh();
    await using second = await listening(standbyParts(peersAt(DEAD)));
    const access = readerOver(s.b, s.a.memberId, [DEAD, second.address]);
    const opened = await access.requestChart(p.ticket, { purpose: "TREAT" });
    let bodies = 0;
    for await (const record of opened.open())
      bodies += (await Array.fromAsync(record.body)).length > 0 ? 1 : 0;
    expect(bodies).to.equal(2);
    const [accessId] = opened.accessIds;
    expect(await receiptsOf(p)).to.deep.equal([]);

    const unpaid = new OwedReceipts(state, peersAt(DEAD));
    await unpaid.pay();
    expect(unpaid.all().map((owed) => owed.accessId)).to.include(accessId);
    await using first = await listening(primaryParts(peersAt(DEAD)));
    const owed = new OwedReceipts(state, peersAt(first.address));
    await owed.pay();
    expect(owed.all()).to.deep.equal([]);
    expect(await receiptsOf(p)).to.deep.equal([accessId]);
    expect(s.a.vault.releases.get(accessId!)).to.equal(state.releases.get(accessId!));
  });

  it("have the receipt of a refusal filed when the first is back", async () => {
    const p = await patientWith(s, 1);
    await refresh();
    const request = await requestFor(s, await logAccess(s, p.ticket));
    await revoke(s.a, p);
    const { message } = await answerRequest(standbyParts(peersAt(DEAD)), request);
    expect(message?.type).to.equal("refusal");
    await answerRequest(standbyParts(peersAt(DEAD)), request);
    expect(await receiptsOf(p)).to.deep.equal([]);

    await using first = await listening(primaryParts(peersAt(DEAD)));
    const owed = new OwedReceipts(state, peersAt(first.address));
    expect(owed.all().filter(({ accessId }) => accessId === request.id)).to.have.length(1);
    await owed.pay();
    expect(owed.all()).to.deep.equal([]);
    expect(await receiptsOf(p)).to.deep.equal([request.id]);
    // It was no release: the access can be answered with one, should the refusal's reason go.
    expect(s.a.vault.releases.get(request.id)).to.equal(undefined);
  });

  it("come to the same when both make a release at the same moment", async () => {
    const p = await patientWith(s, 2);
    await refresh();
    const request = await requestFor(s, await logAccess(s, p.ticket, "CHART"));
    const peers = { first: [] as string[], second: [] as string[] };
    // Each address is known only once both listen.
    const toSecond = {
      agree: (...args: Parameters<Peers["agree"]>) => peersAt(...peers.second).agree(...args),
    };
    const toFirst = {
      agree: (...args: Parameters<Peers["agree"]>) => peersAt(...peers.first).agree(...args),
    };
    await using first = await listening({ ...primaryParts(peersAt()), ...toSecond });
    await using second = await listening({ ...standbyParts(peersAt()), ...toFirst });
    peers.first.push(first.address);
    peers.second.push(second.address);
    const [x, y] = await Promise.all([
      post(first.address, JSON.stringify(request)),
      post(second.address, JSON.stringify(request)),
    ]);
    expect(x.status).to.equal(200);
    expect(x.text).to.equal(y.text);
  });

  it("both forget no revocation: one that was told to the first, which died before the chain heard of it", async () => {
    const p = await patientWith(s, 1);
    await refresh();
    await using second = await listening(standbyParts(peersAt(DEAD)));
    const told = await tell(p, peersAt(second.address));
    expect(told.onChain).to.equal(false);
    const request = await requestFor(s, await logAccess(s, p.ticket));
    const answer = await post(second.address, JSON.stringify(request));
    expect(JSON.parse(answer.text)).to.include({ type: "refusal" });
    await relayed(state);
  });

  it("acknowledge no revocation while one of them has it not, nor the chain; it counts where it was told", async () => {
    const p = await patientWith(s, 1);
    const error = await rejected("ERR_TIMEOUT", tell(p, peersAt(DEAD)));
    expect(error.retryable).to.equal(true);
    expect((await ask.refused(await logAccess(s, p.ticket))).message).to.contain(
      "the patient revoked the grant",
    );
    await relayed(s.a.vault);
    expect((await tell(p, peersAt(DEAD))).onChain).to.equal(true);
  });

  it("both refuse what was withdrawn on chain since the copy was made", async () => {
    const p = await patientWith(s, 2);
    await refresh();
    const [kept, wrong] = ask.leaves(p) as [Leaf, Leaf];
    const named = await requestFor(s, await ask.logRecords(p, [kept.index, wrong.index]));
    await s.a.retract(wrong.index);
    const { answer } = await answerRequest(standbyParts(peersAt(DEAD)), named);
    expect(answer.error?.message).to.contain(`entry ${wrong.index} was withdrawn`);
  });

  it("leave nothing out in silence: the second does not serve what reaches past its copy", async () => {
    const p = await patientWith(s, 1);
    await refresh();
    await takeIn(s.a, [observation({ id: `later-${p.patient}`, patient: ask.identifierOf(p) })]);
    const [, later] = ask.leaves(p) as [Leaf, Leaf];
    await using second = await listening(standbyParts(peersAt(DEAD)));
    for (const access of [await logAccess(s, p.ticket, "CHART"), await ask.logRecords(p, [later.index])]) {
      const request = await requestFor(s, access);
      expect((await post(second.address, JSON.stringify(request))).status).to.equal(503);
      expect(state.releases.get(access.accessId)).to.equal(undefined);
    }
  });

  it("believe nobody else that says he is one of them", async () => {
    const p = await patientWith(s, 1);
    const { accessId } = await logAccess(s, p.ticket);
    const stored = JSON.stringify({
      format: 1,
      access: accessId,
      indices: [],
      release: "planted",
      receipt: "{}",
    });
    await using first = await listening(primaryParts(peersAt(DEAD)));
    const right = { type: "replica" as const, id: accessId, from: s.a.memberId, to: s.a.memberId };
    const notice = { format: 1, accessId, patientId: p.patient, digest: sha256(stored) };
    const send = async (signer: StaffSigner, changes: Partial<Message> = {}, says: object = notice) => {
      const message = await signMessage(s.a.chain, signer, {
        ...right,
        body: JSON.stringify(says),
        ...changes,
      });
      const sender = Buffer.from(JSON.stringify(message)).toString("base64url");
      const headers = { "content-type": "application/json", [SENDER_HEADER]: sender };
      return (await post(first.address, stored, "/v1/peer/releases", headers)).status;
    };
    const releaser = s.a.signer("releaser");
    expect(await send(s.c.signer("releaser"))).to.equal(400);
    expect(await send(s.c.signer("releaser"), { from: s.c.memberId, to: s.c.memberId })).to.equal(400);
    expect(await send(s.a.signer("operator"))).to.equal(400);
    expect(await send(releaser, { type: "release" })).to.equal(400);
    expect(await send(releaser, { to: s.b.memberId })).to.equal(400);
    expect(await send(releaser, {}, { ...notice, accessId: p.patient })).to.equal(400);
    expect(await send(releaser, {}, { ...notice, digest: p.patient })).to.equal(400);
    expect((await post(first.address, stored, "/v1/peer/releases")).status).to.equal(400);
    expect(s.a.vault.releases.get(accessId)).to.equal(undefined);
  });

  it("run as services: the second takes up each new copy, serves when the first ends, and pays its receipts", async () => {
    const p = await patientWith(s, 1);
    await using first = service(s.a, {});
    const address = await first.ready;
    const path = standby.config.vault;
    const open = async () => {
      const vault = await Vault.open(path, UNLOCK);
      return { vault, journal: Journal.open(standby.config.journal, vault) };
    };
    await using second = service(standby, { peers: [address], standby: { state, path, open } });
    const both = [address, await second.ready];
    await copyVault(s.a, copies);
    expect(readdirSync(copies).filter((name) => name.startsWith("copy-"))).to.have.length(2);
    first.stop();
    await first.ended;
    const exchange = exchangeOver(s.b, s.a.memberId, both);
    const request = await requestFor(s, await logAccess(s, p.ticket, "CHART"));
    let answer: Message | undefined;
    // The copy is taken up within a second or so.
    while (answer === undefined) {
      await exchange.send(request).catch(() => {});
      answer = await exchange.find(s.b.memberId, "release", request.id);
    }
    expect(body(answer)).to.contain(request.id);
  });

  async function tell(p: SharedPatient, peers: Peers) {
    await using first: Listening = await listening(primaryParts(peers), {
      tellPeers: (text) => peers.tell(text),
    });
    const desk = new CustodianAgent({
      chain: s.b.chain,
      custodian: s.a.memberId,
      addresses: [first.address],
    });
    const data = s.a.consent.revocation(p.patient, p.ticket.termsHash);
    return await desk.revoke(p.patient, p.ticket.termsHash, await signAs(p.device, data));
  }

  async function relayed(of: Vault): Promise<void> {
    await new Relay({ chain: s.a.chain, state: of, writer: s.a.writer("releaser") }).look();
  }

  function service(hospital: Chartseal, options: Partial<ReleaseAgentOptions>) {
    const controller = new AbortController();
    const { promise: ready, resolve } = Promise.withResolvers<string>();
    const { memberId, chain, vault, journal, exchange } = hospital;
    const own = { signer: hospital.signer("releaser"), writer: hospital.writer("releaser"), tls: {} };
    const fileReceipt: AgentParts["fileReceipt"] = (receipt) => hospital.fileDocument(receipt);
    const ended = runAgentService(
      { memberId, chain, vault, journal, exchange, ...own, fileReceipt },
      {
        signal: controller.signal,
        listen: { host: "127.0.0.1", port: 0 },
        onReady: (at) => resolve(at!),
        ...options,
      },
    );
    const stop = () => controller.abort();
    return { ready, ended, stop, [Symbol.asyncDispose]: async () => (stop(), await ended) };
  }
});

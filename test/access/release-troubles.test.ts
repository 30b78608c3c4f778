// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Wallet } from "ethers";
import { answerRequests } from "../../src/access/release-agent.js";
import { Chain, keySigner } from "../../src/chain/index.js";
import { Asking } from "../support/asking.js";
import { rejected } from "../support/rejected.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import {
  agentOf,
  logAccess,
  patientWith,
  requestFor,
  served,
  sharing,
  type Sharing,
} from "../support/sharing.js";

describe("a release agent in trouble", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
  });

  it("waits while the chain does not answer, and is served when it does again", async () => {
    const p = await patientWith(s, 2);
    const access = await logAccess(s, p.ticket, "CHART");
    await using proxy = await RpcProxy.before(s.consortium.chain.url);
    using chain = chainThrough(proxy);
    const agent = agentOf(s.a, { chain });
    await s.b.exchange.send(await requestFor(s, access));
    proxy.intercept = () => "drop";
    await rejected("ERR_RPC_UNAVAILABLE", answerRequests(agent));
    // It goes down after the agent's own check, at any later question.
    for (const method of ["eth_getTransactionReceipt", "eth_getBlockByNumber", "eth_getTransactionByHash"]) {
      proxy.intercept = (request) => (request.method === method ? "drop" : undefined);
      const errors: unknown[] = [];
      expect(await answerRequests(agent, { onError: (error) => errors.push(error) })).to.deep.equal([]);
      expect(errors[0], method).to.include({ code: "ERR_RPC_UNAVAILABLE", retryable: true });
      expect(s.a.vault.releases.get(access.accessId)).to.equal(undefined);
    }
    proxy.intercept = () => undefined;
    const [answer] = await answerRequests(agent);
    expect(answer?.error).to.equal(undefined);
  });

  it("waits when the node fails inside, and says nothing of it to the reader", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket);
    await using proxy = await RpcProxy.before(s.consortium.chain.url);
    using chain = chainThrough(proxy);
    const agent = agentOf(s.a, { chain });
    await s.b.exchange.send(await requestFor(s, access));
    const standing = chain.consents.interface.getFunction("standingOf").selector;
    proxy.intercept = ({ method, params }) =>
      method === "eth_call" && (params[0] as { data: string }).data.startsWith(standing)
        ? { error: { code: -32603, message: "Internal error at /var/lib/besu" } }
        : undefined;
    const errors: unknown[] = [];
    expect(await answerRequests(agent, { onError: (error) => errors.push(error) })).to.deep.equal([]);
    expect(errors[0]).to.include({ code: "ERR_RPC_UNAVAILABLE" });
    expect(await s.b.exchange.find(s.b.memberId, "refusal", access.accessId)).to.equal(undefined);
    proxy.intercept = () => undefined;
    expect((await answerRequests(agent))[0]?.error).to.equal(undefined);
  });

  /** What who can write the journal's file could change of a granted entry's row, or of a victim's. */
  const ALTERATIONS = [
    [
      "a victim's entry moved to the patient",
      "theirs",
      "patient_id",
      "(SELECT patient_id FROM items WHERE id = :own)",
    ],
    [
      "a victim's key put in place of the entry's",
      "own",
      "record_id",
      "(SELECT record_id FROM items WHERE id = :theirs)",
    ],
    ["an entry's body exchanged", "own", "cid", "(SELECT cid FROM items WHERE id = :theirs)"],
    ["an entry's digest exchanged", "own", "content_digest", "randomblob(32)"],
    ["an entry moved to another compartment", "own", "compartment", "(compartment + 1) % 64"],
    ["an entry of another day", "own", "recorded_day", "recorded_day + 1"],
    ["a document shown as a record", "own", "kind", "1"],
    ["another salt", "own", "salt", "randomblob(32)"],
    ["another place in the patient's list", "own", "patient_seq", "patient_seq + 1"],
    ["an erased mark", "own", "erased", "1"],
    ["no MAC", "own", "row_mac", "NULL"],
  ] as const;

  for (const [what, whose, column, expression] of ALTERATIONS) {
    it(`is not made from a journal that was altered (${what}), which says so to nobody outside`, async () => {
      const p = await patientWith(s, 1);
      const victim = await patientWith(s, 1);
      const [own, theirs] = [p, victim].map((each) => s.a.journal.itemAt(ask.leaves(each)[0]!.index)!.id);
      const id = { own: own!, theirs: theirs! }[whose];
      const access = await logAccess(s, p.ticket, "CHART");
      const { database } = s.a.journal;
      const before = database.get(`SELECT ${column} AS value FROM items WHERE id = ?`, id)!["value"]!;
      const sql = expression.replace(":own", String(own)).replace(":theirs", String(theirs));
      database.run(`UPDATE items SET ${column} = ${sql} WHERE id = ?`, id);
      try {
        await s.b.exchange.send(await requestFor(s, access));
        const errors: unknown[] = [];
        expect(await answerRequests(agentOf(s.a), { onError: (error) => errors.push(error) })).to.deep.equal(
          [],
        );
        expect(errors[0]).to.deep.include({ code: "ERR_STORE_FAILED", values: { table: "item", row: id } });
        expect(s.a.vault.releases.get(access.accessId)).to.equal(undefined);
        expect(await s.b.exchange.find(s.b.memberId, "refusal", access.accessId)).to.equal(undefined);
      } finally {
        database.run(`UPDATE items SET ${column} = ? WHERE id = ?`, before, id);
      }
      expect(await answerRequests(agentOf(s.a))).to.have.length(1);
    });
  }

  it("holds nobody else's key when two entries' keys were exchanged, whole rows otherwise as they were", async () => {
    const p = await patientWith(s, 1);
    const victim = await patientWith(s, 1);
    const [own, theirs] = [p, victim].map((each) => s.a.journal.itemAt(ask.leaves(each)[0]!.index)!);
    const { database } = s.a.journal;
    const swap = (first: Uint8Array, second: Uint8Array) => {
      database.run("UPDATE items SET record_id = ? WHERE id = ?", first, own!.id);
      database.run("UPDATE items SET record_id = ? WHERE id = ?", second, theirs!.id);
    };
    const access = await ask.logRecords(p, [own!.logIndex!]);
    swap(theirs!.recordId!, own!.recordId!);
    try {
      await s.b.exchange.send(await requestFor(s, access));
      const errors: unknown[] = [];
      await answerRequests(agentOf(s.a), { onError: (error) => errors.push(error) });
      expect(errors[0]).to.deep.include({
        code: "ERR_STORE_FAILED",
        values: { table: "item", row: own!.id },
      });
      expect(await s.b.exchange.find(s.b.memberId, "release", access.accessId)).to.equal(undefined);
    } finally {
      swap(own!.recordId!, theirs!.recordId!);
    }
    await answerRequests(agentOf(s.a));
  });

  it("does not hold up others: neither an unanswerable request nor a failing one", async () => {
    const p = await patientWith(s, 1);
    const broken = await logAccess(s, p.ticket);
    const good = await logAccess(s, p.ticket);
    await using proxy = await RpcProxy.before(s.consortium.chain.url);
    using chain = chainThrough(proxy);
    proxy.intercept = ({ params }) => (params[0] === broken.transactionHash ? "drop" : undefined);
    await s.b.exchange.send(await requestFor(s, broken));
    await s.b.exchange.send(await requestFor(s, good));
    const errors: unknown[] = [];
    const answers = await answerRequests(agentOf(s.a, { chain }), { onError: (error) => errors.push(error) });
    expect(answers.map(({ accessId }) => accessId)).to.deep.equal([good.accessId]);
    expect(errors).to.have.length(1);
    await answerRequests(agentOf(s.a));
  });

  it("is given by no agent whose account is no RELEASER of its member", async () => {
    const p = await patientWith(s, 1);
    await s.b.exchange.send(await requestFor(s, await logAccess(s, p.ticket)));
    await rejected(
      "ERR_USAGE",
      answerRequests(agentOf(s.a, { signer: keySigner(Wallet.createRandom().privateKey) })),
    );
    const error = await rejected(
      "ERR_USAGE",
      answerRequests(agentOf(s.a, { signer: s.c.signer("releaser") })),
    );
    expect(error.values).to.include({ found: s.c.memberId, memberId: s.a.memberId });
    expect(await answerRequests(agentOf(s.a))).to.have.length(1);
  });

  it("is given by no agent whose node is on another chain", async () => {
    const p = await patientWith(s, 1);
    await s.b.exchange.send(await requestFor(s, await logAccess(s, p.ticket)));
    await using proxy = await RpcProxy.before(s.consortium.chain.url);
    using chain = chainThrough(proxy);
    proxy.intercept = ({ method }) => (method === "eth_chainId" ? { result: "0x1" } : undefined);
    await rejected("ERR_CHAIN_MISMATCH", answerRequests(agentOf(s.a, { chain })));
    expect(await answerRequests(agentOf(s.a))).to.have.length(1);
  });

  it("answers the reader through a running agent", async () => {
    const p = await patientWith(s, 2);
    const chart = await served(agentOf(s.a), s.b.access.list(p.ticket, { purpose: "TREAT" }));
    expect(chart.entries).to.have.length(2);
  });

  /** What the proxy drops counts as unanswered soon. */
  function chainThrough({ url }: RpcProxy): Chain {
    return Chain.open({ url, deployment: s.consortium.deployment, callTimeoutMs: 4_000 });
  }
});

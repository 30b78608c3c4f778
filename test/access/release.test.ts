// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { answerRequests } from "../../src/access/release-agent.js";
import { openCapsule, toHex, type Leaf } from "../../src/crypto/index.js";
import { Asking, hashes } from "../support/asking.js";
import { rejected } from "../support/rejected.js";
import { agentOf, logAccess, patientWith, requestFor, sharing, type Sharing } from "../support/sharing.js";

describe("what is released for an access", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
  });

  it("is a capsule for each entry named, which opens for that leaf and access only", async () => {
    const p = await patientWith(s, 3);
    const [, second, third] = ask.leaves(p) as [Leaf, Leaf, Leaf];
    const access = await ask.logRecords(p, [second.index, third.index]);
    const { capsules, index } = await ask.released(access);
    expect(index).to.equal(undefined);
    expect(capsules.map(({ leafHash }) => leafHash)).to.deep.equal(hashes([second, third]));
    const secretKey = s.b.vault.memberSecretKey(capsules[0]!.keyEpoch);
    const { chainId, deployment } = s.b.chain;
    const binding = { chainId, accessLog: deployment.accessLog, accessId: access.accessId, secretKey };
    const opened = await openCapsule(capsules[0], { ...binding, leaf: second });
    const { recordId } = s.a.journal.itemAt(second.index)!;
    expect(toHex(opened.contentKey)).to.equal(toHex(s.a.vault.keyOf(recordId!)));
    await rejected("ERR_CAPSULE_REFUSED", openCapsule(capsules[0], { ...binding, leaf: third }));
  });

  it("is an index without a key for INDEX, and index and keys for CHART", async () => {
    const p = await patientWith(s, 3);
    const list = await ask.released(await logAccess(s, p.ticket, "INDEX"));
    expect(list.capsules).to.deep.equal([]);
    expect(list.index?.accessId).to.equal(list.accessId);
    const chart = await ask.released(await logAccess(s, p.ticket, "CHART"));
    expect(chart.index).not.to.equal(undefined);
    expect(chart.capsules.map(({ leafHash }) => leafHash)).to.deep.equal(hashes(ask.leaves(p)));
  });

  it("is made once and served again as it was, byte for byte", async () => {
    const p = await patientWith(s, 2);
    const access = await logAccess(s, p.ticket, "CHART");
    const first = await ask.answered(access);
    const second = await ask.answered(access);
    expect(second.message).to.deep.equal(first.message);
  });

  it("is the same from two agents at once", async () => {
    const p = await patientWith(s, 3);
    const access = await logAccess(s, p.ticket, "CHART");
    const request = await requestFor(s, access);
    const sent: string[] = [];
    const agents = [0, 1].map(() => {
      const exchange = {
        send: async (message: { body: string }) => void sent.push(message.body),
        receive: async () => [request],
        find: async () => undefined,
        remove: async () => {},
      };
      return answerRequests(agentOf(s.a, { exchange }));
    });
    await Promise.all(agents);
    expect(sent).to.have.length(2);
    expect(sent[0]).to.equal(sent[1]);
  });

  it("is not harmed by a crash between send and remove", async () => {
    const p = await patientWith(s, 1);
    const access = await logAccess(s, p.ticket);
    await s.b.exchange.send(await requestFor(s, access));
    const dying = Object.create(s.a.exchange) as typeof s.a.exchange;
    dying.receive = (...place) => s.a.exchange.receive(...place);
    dying.send = (message) => s.a.exchange.send(message);
    dying.remove = () => Promise.reject(new Error("killed"));
    const errors: unknown[] = [];
    await answerRequests(agentOf(s.a, { exchange: dying }), { onError: (error) => errors.push(error) });
    expect(String(errors[0])).to.contain("killed");
    const before = await s.b.exchange.find(s.b.memberId, "release", access.accessId);
    expect((await answerRequests(agentOf(s.a))).map(({ error }) => error)).to.deep.equal([undefined]);
    expect(await s.b.exchange.find(s.b.memberId, "release", access.accessId)).to.deep.equal(before);
  });
});

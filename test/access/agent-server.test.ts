// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Answer } from "../../src/access/answer-request.js";
import { serveAgent } from "../../src/access/agent-server.js";
import { Chain } from "../../src/chain/index.js";
import type { Message } from "../../src/access/message.js";
import { exchangeOver, listening, pem, post, readerOver } from "../support/listening.js";
import { rejected } from "../support/rejected.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import { agentOf, logAccess, patientWith, requestFor, sharing, type Sharing } from "../support/sharing.js";

describe("a release agent over HTTP", function () {
  this.timeout(60_000);
  let s: Sharing;

  before(async () => {
    s = await sharing();
  });

  it("lets a reader list, request and open records", async () => {
    const p = await patientWith(s, 3);
    const answers: Answer[] = [];
    await using agent = await listening(agentOf(s.a), { onAnswer: (answer) => answers.push(answer) });
    const access = readerOver(s.b, s.a.memberId, [agent.address]);
    const chart = await access.list(p.ticket, { purpose: "TREAT" });
    expect(chart.entries).to.have.length(3);
    const opened = await access.request(chart, { purpose: "TREAT" });
    let bytes = 0;
    for await (const record of opened.open()) for await (const piece of record.body) bytes += piece.length;
    expect(bytes).to.be.greaterThan(0);
    const served = [s.b.memberId, undefined];
    expect(answers.map(({ to, error }) => [to, error])).to.deep.equal([served, served]);
  });

  it("gives the same signed message whenever it is asked again, over HTTP and in the folder", async () => {
    const p = await patientWith(s, 2);
    const request = await requestFor(s, await logAccess(s, p.ticket, "CHART"));
    await using agent = await listening(agentOf(s.a));
    const first = await post(agent.address, JSON.stringify(request));
    expect(first.status).to.equal(200);
    expect(first.headers.get("cache-control")).to.equal("no-store");
    expect((await post(agent.address, JSON.stringify(request))).text).to.equal(first.text);
    const { from, to, id, type } = JSON.parse(first.text) as Message;
    expect({ from, to, id, type }).to.deep.equal({
      from: s.a.memberId,
      to: s.b.memberId,
      id: request.id,
      type: "release",
    });
  });

  it("gives a signed refusal where the folder would hold one", async () => {
    const p = await patientWith(s, 1);
    const request = await requestFor(s, await logAccess(s, p.ticket), { message: { to: s.c.memberId } });
    await using agent = await listening(agentOf(s.c));
    const { status, text } = await post(agent.address, JSON.stringify(request));
    expect(status).to.equal(200);
    expect(JSON.parse(text)).to.include({ type: "refusal", id: request.id, from: s.c.memberId });
  });

  it("lets in over TLS only clients whose certificate the consortium's authority signed", async () => {
    const p = await patientWith(s, 1);
    const tls = { cert: pem("agent.pem"), key: pem("agent.key"), clientCa: pem("ca.pem") };
    await using agent = await listening(agentOf(s.a), { tls });
    expect(agent.address).to.match(/^https:/);
    const mine = { ca: pem("ca.pem"), cert: pem("reader.pem"), key: pem("reader.key") };
    const access = readerOver(s.b, s.a.memberId, [agent.address], mine);
    expect((await access.list(p.ticket, { purpose: "TREAT" })).entries).to.have.length(1);

    const request = await requestFor(s, await logAccess(s, p.ticket));
    const strangers = [
      { ca: pem("ca.pem") },
      { ca: pem("ca.pem"), cert: pem("stranger.pem"), key: pem("stranger.key") },
      { ...mine, ca: pem("stranger.pem") }, // the reader does not know the agent's authority
    ];
    for (const stranger of strangers) {
      const exchange = exchangeOver(s.b, s.a.memberId, [agent.address], stranger);
      await rejected("ERR_TIMEOUT", exchange.send(request));
    }
    expect(s.a.vault.releases.get(request.id)).to.equal(undefined);
  });

  it("never speaks in clear text on a network", async () => {
    const { signal } = new AbortController();
    const error = await rejected("ERR_USAGE", serveAgent(agentOf(s.a), { host: "0.0.0.0", port: 0, signal }));
    expect(error.values).to.deep.equal({ host: "0.0.0.0" });
    const tls = { cert: pem("agent.pem"), key: pem("reader.key") };
    await rejected("ERR_USAGE", serveAgent(agentOf(s.a), { host: "127.0.0.1", port: 0, signal, tls }));
  });

  it("is alive while its node is down, and ready when the node answers again", async () => {
    await using proxy = await RpcProxy.before(s.consortium.chain.url);
    using chain = Chain.open({ url: proxy.url, deployment: s.consortium.deployment, callTimeoutMs: 2_000 });
    await using agent = await listening(agentOf(s.a, { chain }));
    const get = async (path: string) => {
      const response = await fetch(`${agent.address}${path}`);
      return [response.status, await response.json()] as const;
    };
    proxy.intercept = () => "drop";
    expect(await get("/healthz")).to.deep.equal([200, { alive: true }]);
    expect(await get("/readyz")).to.deep.equal([503, { ready: false, chain: false, vault: true }]);
    const p = await patientWith(s, 1);
    const request = await requestFor(s, await logAccess(s, p.ticket));
    const down = await post(agent.address, JSON.stringify(request));
    expect(down).to.deep.include({ status: 503 });
    expect(down.error).to.deep.equal({
      code: "ERR_TIMEOUT",
      message: "the agent cannot answer now",
      retryable: true,
    });
    expect(down.headers.get("retry-after")).to.equal("1");
    proxy.intercept = () => undefined;
    while ((await get("/readyz"))[0] !== 200);
    expect((await post(agent.address, JSON.stringify(request))).status).to.equal(200);
  });

  it("ends when told to: what is under way is answered, nothing new is taken", async () => {
    const p = await patientWith(s, 1);
    const request = await requestFor(s, await logAccess(s, p.ticket));
    await using proxy = await RpcProxy.before(s.consortium.chain.url);
    using chain = Chain.open({ url: proxy.url, deployment: s.consortium.deployment });
    await using agent = await listening(agentOf(s.a, { chain }));
    const asked = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    proxy.intercept = async ({ method }) => {
      if (method !== "eth_getTransactionReceipt") return undefined;
      asked.resolve(undefined);
      return await goOn.promise;
    };
    const answer = post(agent.address, JSON.stringify(request));
    await asked.promise;
    agent.stop();
    const refused = await fetch(`${agent.address}/healthz`).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(TypeError);
    goOn.resolve(undefined);
    expect((await answer).status).to.equal(200);
    await agent.stopped;
  });
});

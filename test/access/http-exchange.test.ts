// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { RequestListener } from "node:http";
import type { Message } from "../../src/access/message.js";
import { exchangeOver, listening, readerOver, serving } from "../support/listening.js";
import { rejected } from "../support/rejected.js";
import {
  agentOf,
  logAccess,
  patientWith,
  requestFor,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

describe("a reader of release agents over HTTP", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;
  let request: Message;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 1);
    request = await requestFor(s, await logAccess(s, p.ticket));
  });

  const over = (...addresses: string[]) => exchangeOver(s.b, s.a.memberId, addresses);

  it("asks the next address of a member when one does not answer, and the one that answered first from then on", async () => {
    let asked = 0;
    await using broken = await serving((_, response) => {
      asked += 1;
      response.writeHead(503, { "retry-after": "1" }).end();
    });
    await using agent = await listening(agentOf(s.a));
    const dead = "http://127.0.0.1:1"; // tcpmux: nobody listens there
    const access = readerOver(s.b, s.a.memberId, [dead, broken.address, agent.address]);
    expect((await access.list(p.ticket, { purpose: "TREAT" })).entries).to.have.length(1);
    expect((await access.list(p.ticket, { purpose: "TREAT" })).entries).to.have.length(1);
    expect(asked).to.equal(1);
  });

  it("sends messages to members without an address by the shared folder", async () => {
    const exchange = over("http://127.0.0.1:1");
    const other = { ...request, to: s.c.memberId };
    await exchange.send(other);
    expect(await exchange.find(s.c.memberId, "request", request.id)).to.deep.equal(other);
    await exchange.remove(other);
    expect(await s.b.exchange.find(s.c.memberId, "request", request.id)).to.equal(undefined);
  });

  it("follows no redirect", async () => {
    let followed = 0;
    await using target = await serving((_, response) => {
      followed += 1;
      response.end("{}");
    });
    for (const status of [301, 302, 307, 308]) {
      await using hop = await serving((_, response) => {
        response.writeHead(status, { location: `${target.address}/v1/requests` }).end();
      });
      const error = await rejected("ERR_EXCHANGE_INVALID", over(hop.address).send(request));
      expect(error.values).to.deep.equal({ address: hop.address, status });
    }
    expect(followed).to.equal(0);
  });

  it("reads no endless answer, and shows little of what an agent says of an error", async () => {
    await using endless = await serving((_, response) => {
      response.writeHead(400, { "content-type": "application/json" });
      const more = () => {
        while (response.write(Buffer.alloc(64 * 1024, " ")));
        response.once("drain", more);
      };
      more();
    });
    const long = await rejected("ERR_EXCHANGE_INVALID", over(endless.address).send(request));
    expect(long.message).to.contain("is too long");
    await using rude = await serving((_, response) => {
      response.writeHead(400).end(JSON.stringify({ error: { message: `\u001b[2J${"x".repeat(900)}` } }));
    });
    const { message } = await rejected("ERR_EXCHANGE_INVALID", over(rude.address).send(request));
    expect(message).not.to.contain("\u001b");
    expect(message.length).to.be.lessThan(400);
  });

  it("gives up on an agent that stays silent when its own time is over", async () => {
    await using silent = await serving(() => {});
    const access = readerOver(s.b, s.a.memberId, [silent.address]);
    const error = await rejected("ERR_TIMEOUT", access.list(p.ticket, { purpose: "TREAT", timeoutMs: 300 }));
    expect(error.message).to.contain("did not answer access");
    const controller = new AbortController();
    const listed = access.list(p.ticket, { purpose: "TREAT", signal: controller.signal });
    controller.abort(new Error("stopped by the user"));
    expect(await listed.catch(String)).to.contain("stopped by the user");
  });

  for (const [what, answer] of Object.entries({
    "another access's": (message: Message) => ({ ...message, id: `0x${"11".repeat(32)}` }),
    "another member's": (message: Message) => ({ ...message, to: 3 }),
    "a ticket": (message: Message) => ({ ...message, type: "ticket" }),
    "no message": () => ({}),
  })) {
    it(`takes no answer that is ${what}`, async () => {
      const message = { ...request, type: "release", from: s.a.memberId, to: s.b.memberId };
      await using liar = await serving((_, response) => {
        response.end(JSON.stringify(answer(message as Message)));
      });
      await rejected("ERR_EXCHANGE_INVALID", over(liar.address).send(request));
    });
  }

  it("believes no answer that the custodian did not sign", async () => {
    await using liar = await serving((_, response) => {
      const body = JSON.stringify({ format: 1, accessId: request.id, capsules: [] });
      const forged = { ...request, type: "release", from: s.a.memberId, to: s.b.memberId, body };
      response.end(JSON.stringify(forged));
    });
    const exchange = over(liar.address);
    await exchange.send(request);
    expect((await exchange.find(s.b.memberId, "release", request.id))?.type).to.equal("release");
    const access = readerOver(s.b, s.a.memberId, [liar.address]);
    await rejected("ERR_EXCHANGE_INVALID", access.list(p.ticket, { purpose: "TREAT", timeoutMs: 300 }));
  });

  it("waits as long as it is told when it asked too often", async () => {
    await using agent = await listening(agentOf(s.a));
    let refused = 0;
    await using busy = await serving((incoming, response) => {
      if (refused++ === 0) return response.writeHead(429, { "retry-after": "1" }).end();
      void relay(incoming, agent.address).then((text) => response.end(text));
      return undefined;
    });
    const started = performance.now();
    const access = readerOver(s.b, s.a.memberId, [busy.address]);
    expect((await access.list(p.ticket, { purpose: "TREAT" })).entries).to.have.length(1);
    expect(performance.now() - started).to.be.greaterThan(990);
    expect(refused).to.equal(2);
  });
});

async function relay(incoming: Parameters<RequestListener>[0], address: string): Promise<string> {
  const body = Buffer.concat((await Array.fromAsync(incoming)) as Buffer[]);
  const headers = { "content-type": "application/json" };
  return await (await fetch(`${address}/v1/requests`, { method: "POST", headers, body })).text();
}

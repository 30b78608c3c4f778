// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Wallet } from "ethers";
import { RateLimit } from "../../src/access/rate-limits.js";
import { answerRequests } from "../../src/access/release-agent.js";
import { RequestLimits } from "../../src/access/request-limits.js";
import type { Message } from "../../src/access/message.js";
import { keySigner, type StaffSigner, type Writer } from "../../src/chain/index.js";
import { toHex } from "../../src/crypto/index.js";
import type { ChartsealError } from "../../src/errors.js";
import { listening, post } from "../support/listening.js";
import {
  agentOf,
  logAccess,
  newStaff,
  patientWith,
  requestFor,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

const SLOW = 1 / 3_600;

describe("a rate limit", () => {
  function takes(limit: RateLimit, key: string): number {
    try {
      limit.take(key);
      return 0;
    } catch (error) {
      expect((error as ChartsealError).code).to.equal("ERR_RATE_LIMITED");
      return (error as ChartsealError).values["retryAfter"] as number;
    }
  }

  it("never lets through more than the burst and what the time brought, and what it says to wait is enough", () => {
    const steps = fc.array(fc.tuple(fc.constantFrom("x", "y"), fc.nat(5_000)), { maxLength: 60 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        steps,
        (burst, perSecond, all) => {
          let now = 0;
          const limit = new RateLimit({ burst, perSecond }, () => now);
          const taken = new Map<string, number>();
          for (const [key, milliseconds] of all) {
            now += milliseconds;
            const wait = takes(limit, key);
            if (wait === 0) taken.set(key, (taken.get(key) ?? 0) + 1);
            expect(taken.get(key) ?? 0).to.be.at.most(burst + (now / 1_000) * perSecond + 1e-6);
            if (wait > 0) {
              now += wait * 1_000;
              expect(takes(limit, key)).to.equal(0);
              taken.set(key, (taken.get(key) ?? 0) + 1);
            }
          }
        },
      ),
    );
  });

  it("forgets, of very many keys, those that were used the longest ago", () => {
    const limit = new RateLimit({ burst: 1, perSecond: SLOW }, () => 0);
    expect(takes(limit, "first")).to.equal(0);
    expect(takes(limit, "first")).to.be.greaterThan(0);
    for (let key = 0; key < 9_999; key++) takes(limit, String(key));
    expect(takes(limit, "first")).to.be.greaterThan(0);
    for (let key = 0; key < 10_000; key++) takes(limit, `again ${key}`);
    expect(takes(limit, "first")).to.equal(0);
  });
});

describe("a release agent that is asked too often", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 1);
  });

  const limits = (account: number, member: number) =>
    new RequestLimits(s.a.chain, {
      account: { burst: account, perSecond: SLOW },
      member: { burst: member, perSecond: SLOW },
    });

  it("says so with 429 and for how long, to that account, and serves its colleague", async () => {
    await using agent = await listening(agentOf(s.a), { limits: limits(2, 100) });
    const asked = JSON.stringify(await requestFor(s, await logAccess(s, p.ticket)));
    const another = async () => JSON.stringify(await requestFor(s, await logAccess(s, p.ticket)));
    expect((await post(agent.address, asked)).status).to.equal(200);
    expect((await post(agent.address, await another())).status).to.equal(200);
    const third = await post(agent.address, await another());
    expect(third.status).to.equal(429);
    expect(third.error).to.deep.equal({
      code: "ERR_RATE_LIMITED",
      message: "asked too often",
      retryable: true,
    });
    expect(Number(third.headers.get("retry-after"))).to.be.within(3_500, 3_600);
    expect((await post(agent.address, asked)).status).to.equal(200); // what it was given before, it is given again
    const { signer, writer } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    const theirs = await requestFor(s, await logAccess(s, p.ticket, "INDEX", writer), { signer });
    expect((await post(agent.address, JSON.stringify(theirs))).status).to.equal(200);
  });

  it("limits all of a member's accounts together, and no other member", async () => {
    await using agent = await listening(agentOf(s.a), { limits: limits(100, 2) });
    const statuses: number[] = [];
    for (let staff = 0; staff < 3; staff++) {
      const { signer, writer } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
      const request = await requestFor(s, await logAccess(s, p.ticket, "INDEX", writer), { signer });
      statuses.push((await post(agent.address, JSON.stringify(request))).status);
    }
    expect(statuses).to.deep.equal([200, 200, 429]);
    // Member c is answered: refused, for the access is not its own.
    const message = { from: s.c.memberId };
    const other = await requestFor(s, await logAccess(s, p.ticket), {
      signer: s.c.signer("clinician"),
      message,
    });
    expect((await post(agent.address, JSON.stringify(other))).status).to.equal(403);
  });

  it("lets nobody use up another's limit by bringing his messages again", async () => {
    await using agent = await listening(agentOf(s.a), { limits: limits(2, 2) });
    const seen = JSON.stringify(await requestFor(s, await logAccess(s, p.ticket)));
    const statuses = new Set<number>();
    for (let replay = 0; replay < 20; replay++)
      statuses.add(await postFrom("127.0.0.2", agent.address, seen));
    expect([...statuses]).to.deep.equal([200, 429]);
    expect((await post(agent.address, seen)).status).to.equal(200);
    const next = JSON.stringify(await requestFor(s, await logAccess(s, p.ticket)));
    expect((await post(agent.address, next)).status).to.equal(200);
  });

  it("lets nobody use up another's limit: not in his name, nor with his messages altered", async () => {
    await using agent = await listening(agentOf(s.a), { limits: limits(1, 1) });
    const request = await requestFor(s, await logAccess(s, p.ticket));
    for (let flood = 0; flood < 20; flood++) {
      const signer = keySigner(Wallet.createRandom().privateKey);
      const forged = await requestFor(s, { accessId: request.id, transactionHash: request.id }, { signer });
      expect((await post(agent.address, JSON.stringify(forged))).status).to.equal(400);
      const altered = JSON.stringify({ ...request, body: `${request.body}${" ".repeat(flood + 1)}` });
      expect((await post(agent.address, altered)).status).to.equal(400);
      const asC = { signer: s.c.signer("clinician") }; // says that it is of member b
      const claimed = await requestFor(s, { accessId: request.id, transactionHash: request.id }, asC);
      expect((await post(agent.address, JSON.stringify(claimed))).status).to.equal(400);
    }
    expect((await post(agent.address, JSON.stringify(request))).status).to.equal(200);
  });

  describe("over the shared folder", () => {
    /** Puts requests there and has them answered. @returns how many were, and what was said of the others */
    async function answered(requests: readonly Message[], limit: RequestLimits) {
      for (const request of requests) await s.b.exchange.send(request);
      const errors: unknown[] = [];
      const onError = (error: unknown) => errors.push(error);
      const answers = await answerRequests(agentOf(s.a), { onError, limits: limit });
      const waiting = await s.a.exchange.receive(s.a.memberId, "request");
      for (const request of waiting) await s.a.exchange.remove(request);
      const codes = errors.map((error) => (error as ChartsealError).code);
      return { answered: answers.length, codes, waiting: waiting.length };
    }
    const several = async (count: number, staff?: { signer: StaffSigner; writer: Writer }) => {
      const requests: Message[] = [];
      for (let number = 0; number < count; number++) {
        const access = await logAccess(s, p.ticket, "INDEX", staff?.writer);
        requests.push(await requestFor(s, access, staff && { signer: staff.signer }));
      }
      return requests;
    };

    it("holds for an account, whose request waits, and not for its colleague", async () => {
      const colleague = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
      const requests = [...(await several(3)), ...(await several(1, colleague))];
      const limited = { answered: 3, codes: ["ERR_RATE_LIMITED"], waiting: 1 };
      expect(await answered(requests, limits(2, 100))).to.deep.equal(limited);
    });

    it("holds for all of a member's accounts together", async () => {
      const colleague = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
      const requests = [...(await several(2)), ...(await several(2, colleague))];
      const limited = { answered: 3, codes: ["ERR_RATE_LIMITED"], waiting: 1 };
      expect(await answered(requests, limits(100, 3))).to.deep.equal(limited);
    });

    it("is one with that over HTTP: neither way adds to what the other allows", async () => {
      const shared = limits(2, 100);
      await using agent = await listening(agentOf(s.a), { limits: shared });
      const [first, second, third] = (await several(3)) as [Message, Message, Message];
      expect((await post(agent.address, JSON.stringify(first))).status).to.equal(200);
      expect(await answered([second], shared)).to.deep.equal({ answered: 1, codes: [], waiting: 0 });
      expect((await post(agent.address, JSON.stringify(third))).status).to.equal(429);
      const limited = { answered: 0, codes: ["ERR_RATE_LIMITED"], waiting: 1 };
      expect(await answered([third], shared)).to.deep.equal(limited);
    });

    it("counts whoever is no staff together, and keeps staff from nothing", async () => {
      const forged: Message[] = [];
      for (let number = 0; number < 3; number++) {
        const signer = keySigner(Wallet.createRandom().privateKey);
        const accessId = toHex(randomBytes(32));
        forged.push(await requestFor(s, { accessId, transactionHash: accessId }, { signer }));
      }
      const { answered: done, codes } = await answered([...forged, ...(await several(1))], limits(2, 2));
      expect(codes.filter((code) => code === "ERR_RATE_LIMITED")).to.have.length(1);
      expect(done).to.equal(3); // two were thrown away
    });
  });
});

/** As {@link post}, from another address of this machine. */
async function postFrom(localAddress: string, address: string, body: string): Promise<number> {
  const headers = { "content-type": "application/json" };
  const call = httpRequest(`${address}/v1/requests`, { method: "POST", headers, localAddress });
  call.end(body);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode!;
}

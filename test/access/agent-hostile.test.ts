// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { once } from "node:events";
import { connect } from "node:net";
import { Wallet } from "ethers";
import type { Message } from "../../src/access/message.js";
import { keySigner } from "../../src/chain/index.js";
import { listening, post, type Listening, type Posted } from "../support/listening.js";
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

/** The agent cuts off who does not send: headers within 5 s, the whole request within 10 s, and looks every second. */
const PATIENCE_MS = 13_000;

describe("a hostile client of a release agent over HTTP", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;
  let agent: Listening;
  let request: Message;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 1);
    agent = await listening(agentOf(s.a));
    request = await requestFor(s, await logAccess(s, p.ticket));
  });
  after(() => agent[Symbol.asyncDispose]());

  function expectRefused(answer: Posted, status: number, code = "ERR_EXCHANGE_INVALID"): void {
    expect(answer.status, answer.text).to.equal(status);
    expect(answer.error.code).to.equal(code);
    expect(answer.error.retryable).to.equal(status === 429 || status === 503);
    // No stack, no path, nothing of what was sent.
    expect(answer.text).not.to.match(/\\n|node_modules|\.ts:|chartseal-/);
    expect(answer.text.length).to.be.lessThan(300);
    expect(s.a.vault.releases.get(request.id)).to.equal(undefined);
  }

  const altered = (changes: object): string => JSON.stringify({ ...request, ...changes });

  for (const [what, body, status, code] of [
    ["nothing", () => "", 400],
    ["no JSON", () => "{", 400],
    ["no UTF-8", () => Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400],
    ["another JSON", () => '{"__proto__":{"type":"request"}}', 400],
    ["a field too many", () => altered({ admin: true }), 400],
    ["another format", () => altered({ format: 2 }), 400, "ERR_FORMAT_UNSUPPORTED"],
    ["a path for an id", () => altered({ id: "../../../vault.db" }), 400],
    ["a message that is no request", () => altered({ type: "release" }), 400],
    ["a request to another member", () => altered({ to: 3 }), 400],
    ["a request that nobody signed", () => altered({ signature: `0x${"00".repeat(65)}` }), 400],
    ["an altered body", () => altered({ body: request.body.replace("}", " }") }), 400],
    ["another member's id", () => altered({ from: 3 }), 400],
  ] as [string, () => string | Uint8Array, number, string?][]) {
    it(`is refused ${what}`, async () => {
      expectRefused(await post(agent.address, body()), status, code);
    });
  }

  it("is refused what an outsider, another member or a colleague signed for this access", async () => {
    const access = { accessId: request.id, transactionHash: hashIn(request) };
    const outsider = keySigner(Wallet.createRandom().privateKey);
    expectRefused(
      await post(agent.address, JSON.stringify(await requestFor(s, access, { signer: outsider }))),
      400,
    );
    const asC = { signer: s.c.signer("clinician"), message: { from: s.c.memberId } };
    expectRefused(await post(agent.address, JSON.stringify(await requestFor(s, access, asC))), 403);
    const { signer } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    expectRefused(await post(agent.address, JSON.stringify(await requestFor(s, access, { signer }))), 403);
  });

  it("is refused any other content type, path and method", async () => {
    const json = JSON.stringify(request);
    for (const type of [
      "text/plain",
      "multipart/form-data; boundary=x",
      "application/x-www-form-urlencoded",
      "",
    ])
      expectRefused(await post(agent.address, json, "/v1/requests", { "content-type": type }), 415);
    for (const path of [
      "/",
      "/v1/requests/",
      "/v1/requests/../../vault.db",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/v2/requests",
    ])
      expectRefused(await post(agent.address, json, path), 404, "ERR_USAGE");
    const get = await fetch(`${agent.address}/v1/requests`);
    expect([get.status, await get.text()]).to.deep.equal([
      404,
      '{"error":{"code":"ERR_USAGE","message":"there is nothing at this path","retryable":false}}',
    ]);
  });

  it("is refused a message that is too long, said or not said beforehand, and headers that are", async () => {
    const long = "x".repeat(64 * 1024 + 1);
    expectRefused(await post(agent.address, long), 413);
    const drip = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < 3; sent++) controller.enqueue(Buffer.alloc(32 * 1024, "x"));
        controller.close();
      },
    });
    expectRefused(await post(agent.address, drip), 413);
    const heavy = await fetch(`${agent.address}/healthz`, { headers: { "x-heavy": "x".repeat(9_000) } });
    expect(heavy.status).to.equal(431);
  });

  it("is cut off when it does not send, and keeps nobody waiting meanwhile", async () => {
    const post4 =
      "POST /v1/requests HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 4\r\n";
    const started = performance.now();
    const slow = [
      raw(""), // connects and says nothing
      raw("POST /v1/requests HTTP/1.1\r\nhost: a\r\n"), // never ends its headers
      raw(`${post4}\r\n{`), // never ends its body
    ];
    expect((await fetch(`${agent.address}/healthz`)).status).to.equal(200);
    await Promise.all(slow);
    expect(performance.now() - started).to.be.lessThan(PATIENCE_MS);
  });

  it("does not keep the agent from serving who logged the access", async () => {
    expect((await post(agent.address, JSON.stringify(request))).status).to.equal(200);
  });

  /** Resolves when the agent ended the connection. */
  async function raw(text: string): Promise<void> {
    const socket = connect(Number(new URL(agent.address).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.write(text);
    await once(socket, "close");
  }
});

function hashIn({ body }: Message): `0x${string}` {
  return (JSON.parse(body) as { transactionHash: `0x${string}` }).transactionHash;
}

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Wallet } from "ethers";
import type { AccessEvent } from "../../src/access/access-event.js";
import type { Answer } from "../../src/access/answer-request.js";
import type { Message } from "../../src/access/message.js";
import { answerRequests } from "../../src/access/release-agent.js";
import { keySigner } from "../../src/chain/index.js";
import { toHex } from "../../src/crypto/index.js";
import type { ChartsealError } from "../../src/errors.js";
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

describe("who asks for a release", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;
  let access: AccessEvent;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 2);
  });

  beforeEach(async () => {
    access = await logAccess(s, p.ticket);
  });

  /** Puts one request before the agent. Nothing may be released and nobody answered. */
  async function dropped(message: Message): Promise<ChartsealError> {
    const answer = await answered(message);
    expect(answer.dropped, answer.error?.message).to.equal(true);
    expect(s.a.vault.releases.get(message.id)).to.equal(undefined);
    expect(await s.b.exchange.find(message.from, "release", message.id)).to.equal(undefined);
    expect(await s.b.exchange.find(message.from, "refusal", message.id)).to.equal(undefined);
    return answer.error!;
  }

  async function answered(message: Message): Promise<Answer> {
    await s.b.exchange.send(message);
    const answers = await answerRequests(agentOf(s.a));
    expect(answers.map(({ accessId }) => accessId)).to.deep.equal([message.id]);
    expect(await s.a.exchange.find(s.a.memberId, "request", message.id)).to.equal(undefined);
    return answers[0]!;
  }

  it("serves the account that logged the access, and takes the request away", async () => {
    const answer = await answered(await requestFor(s, access));
    expect(answer).to.deep.equal({ accessId: access.accessId, to: s.b.memberId });
    const release = await s.b.exchange.find(s.b.memberId, "release", access.accessId);
    expect(release?.from).to.equal(s.a.memberId);
  });

  it("drops a request that nobody signed", async () => {
    const signature = toHex(new Uint8Array(65));
    const error = await dropped({ ...(await requestFor(s, access)), signature });
    expect(error.message).to.contain("its signature is malformed");
  });

  it("drops a request that an outsider signed", async () => {
    const signer = keySigner(Wallet.createRandom().privateKey);
    const error = await dropped(await requestFor(s, access, { signer }));
    expect(error.message).to.contain("its signer did not log this access");
  });

  it("drops a request that staff of another member signed, in that member's name or in the reader's", async () => {
    const signer = s.c.signer("clinician");
    await dropped(await requestFor(s, access, { signer }));
    await dropped(await requestFor(s, access, { signer, message: { from: s.c.memberId } }));
  });

  it("drops a request of a colleague, who did not log the access", async () => {
    const { signer } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    await dropped(await requestFor(s, access, { signer }));
  });

  it("drops a request in another member's name than the reader's", async () => {
    const error = await dropped(await requestFor(s, access, { message: { from: s.c.memberId } }));
    expect(error.message).to.contain(`the access is member ${s.b.memberId}'s`);
  });

  it("drops a request whose body was altered", async () => {
    const request = await requestFor(s, access);
    await dropped({ ...request, body: request.body.replace("}", " }") });
  });

  it("drops a request that was replayed under another access's id", async () => {
    const other = await logAccess(s, p.ticket);
    const request = await requestFor(s, access);
    await dropped({ ...request, id: other.accessId });
  });

  it("drops a rightly signed request whose body is of another access", async () => {
    const other = await logAccess(s, p.ticket);
    const { body } = await requestFor(s, other);
    const error = await dropped(await requestFor(s, access, { body }));
    expect(error.message).to.contain("is of another access");
  });

  it("drops a request that names another access's transaction", async () => {
    const { transactionHash } = await logAccess(s, p.ticket);
    const error = await dropped(await requestFor(s, { ...access, transactionHash }));
    expect(error.message).to.contain("no log, no key");
  });

  for (const [what, body] of Object.entries({
    "no JSON": "{",
    null: "null",
    "an array": "[]",
    "without an access id": '{"format":1}',
    "with a field too many": `{"format":1,"accessId":"0x${"11".repeat(32)}","transactionHash":"0x${"11".repeat(32)}","x":1}`,
    "of another format": '{"format":2}',
    "with a path for an id": '{"format":1,"accessId":"../../a","transactionHash":"../../b"}',
  })) {
    it(`drops a request whose body is ${what}`, async () => {
      await dropped(await requestFor(s, access, { body }));
    });
  }

  it("drops a request for an access that only a contract of the attacker's own logged", async () => {
    const log = (await s.b.chain.provider.getTransactionReceipt(access.transactionHash))!.logs[0]!;
    const accessId = toHex(randomBytes(32));
    const topics = [log.topics[0]!, accessId, log.topics[2]!, log.topics[3]!];
    const receipt = await s.b.writer("clinician").execute({ to: null, data: logging(topics, log.data) });
    expect(receipt.logs[0]?.topics[1]).to.equal(accessId);
    expect(receipt.logs[0]?.data).to.equal(log.data);
    const error = await dropped(
      await requestFor(s, { accessId, transactionHash: receipt.hash as `0x${string}` }),
    );
    expect(error.message).to.contain("no log, no key");
  });

  it("lets a clinician's request wait while its access is not mined, and serves no stranger's", async () => {
    const nowhere = { accessId: toHex(randomBytes(32)), transactionHash: toHex(randomBytes(32)) };
    const request = await requestFor(s, nowhere);
    await s.b.exchange.send(request);
    const errors: unknown[] = [];
    expect(await answerRequests(agentOf(s.a), { onError: (error) => errors.push(error) })).to.deep.equal([]);
    expect(errors).to.have.length(1);
    expect(errors[0]).to.include({ code: "ERR_CAPSULE_REFUSED", retryable: true });
    expect(s.a.vault.releases.get(nowhere.accessId)).to.equal(undefined);
    expect(await s.a.exchange.find(s.a.memberId, "request", nowhere.accessId)).to.deep.equal(request);
    await s.a.exchange.remove(request);

    const signer = keySigner(Wallet.createRandom().privateKey);
    await dropped(await requestFor(s, nowhere, { signer }));
  });

  it("leaves no patient's pseudonym in the Exchange", async () => {
    await answered(await requestFor(s, access));
    const release = await s.b.exchange.find(s.b.memberId, "release", access.accessId);
    expect(JSON.stringify(release)).not.to.contain(p.patient.slice(2));
    expect(JSON.stringify(await requestFor(s, access))).not.to.contain(p.patient.slice(2));
    expect(await readdir(join(s.consortium.folder, "exchange", `member-${s.b.memberId}`))).to.include(
      "release",
    );
  });
});

/** Init code of a contract that logs these topics and data while it is made. */
function logging(topics: readonly string[], data: string): string {
  const bytes = data.slice(2);
  const size = (bytes.length / 2).toString(16).padStart(4, "0");
  // CODECOPY(0, CODESIZE - size, size); LOG4(0, size, topics); RETURN(0, 0)
  const copy = `61${size}61${size}3803600039`;
  const pushes = topics.toReversed().map((topic) => `7f${topic.slice(2)}`);
  return `0x${copy}${pushes.join("")}61${size}6000a460006000f3${bytes}`;
}

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Exchange } from "../../src/access/index.js";
import { runLookupAgent } from "../../src/access/lookup-agent.js";
import { lookUp, lookupMessageId, type LookupOptions } from "../../src/access/lookups.js";
import { signMessage } from "../../src/access/messages.js";
import { EMERGENCY_LIMITS } from "../../src/chain/limits.js";
import { blindIdentifier, toHex, type Hex } from "../../src/crypto/index.js";
import { emergencyStage, pass, type EmergencyStage } from "../support/emergency.js";
import { rejected } from "../support/rejected.js";
import { agentOf, newStaff } from "../support/sharing.js";

const SYSTEM = "fhir:Patient";
const NO_TRANSACTION: Hex = `0x${"77".repeat(32)}`;

describe("finding a patient without a card", function () {
  this.timeout(120_000);
  let s: EmergencyStage;
  const stop = new AbortController();
  let agents: Promise<unknown>;
  const errors: unknown[] = [];

  before(async () => {
    s = await emergencyStage();
    const options = { signal: stop.signal, onError: (error: unknown) => errors.push(error) };
    agents = Promise.all([s.a, s.b].map((member) => runLookupAgent(agentOf(member), options)));
  });

  after(async () => {
    stop.abort();
    await agents;
    await s[Symbol.asyncDispose]();
  });

  const find = (value: string, options: Partial<LookupOptions> = {}) =>
    s.b.findPatient({ system: SYSTEM, value }, { custodians: [1, 2], ...options });

  it("tells the pseudonym to who has the identifier, whatever white space or form he writes it in", async () => {
    expect(await find("  emergency-1 ")).to.deep.equal([
      { custodian: 1, patient: s.patient, answered: true },
      { custodian: 2, answered: true },
    ]);
  });

  it("tells nothing of an identifier that nobody has", async () => {
    expect(await find("emergency-2")).to.deep.equal([
      { custodian: 1, answered: true },
      { custodian: 2, answered: true },
    ]);
  });

  it("shows neither chain nor Exchange nor custodian the identifier", async () => {
    const seen: string[] = [];
    const { exchange } = s.b;
    const spying: Exchange = {
      send: async (message) => {
        seen.push(JSON.stringify(message));
        await exchange.send(message);
      },
      receive: (to, type) => exchange.receive(to, type),
      find: (to, type, id) => exchange.find(to, type, id),
      remove: (place) => exchange.remove(place),
    };
    const reader = () => ({ writer: s.b.writer("clinician"), signer: s.b.signer("clinician") });
    const parts = { memberId: s.b.memberId, chain: s.b.chain, exchange: spying, reader };
    await lookUp(parts, { system: SYSTEM, value: "emergency-1" }, { custodians: [1] });
    const topics = [s.b.chain.emergencies.interface.getEvent("LookupLogged").topicHash];
    const logs = await s.b.chain.provider.getLogs({
      address: s.b.chain.deployment.emergencies,
      topics,
      fromBlock: 0,
    });
    seen.push(JSON.stringify(logs));
    expect(logs.length).to.be.greaterThan(0);
    for (const text of seen) {
      expect(text).to.not.contain("emergency-1").and.to.not.contain(s.patient.slice(2));
    }
  });

  /** Sends a lookup of one's own making, and gives how it was answered within a second. */
  const forge = async (changes: {
    transactionHash?: Hex;
    lookupId?: Hex;
    blinded?: Uint8Array;
    to?: number;
  }) => {
    const { to = 1, transactionHash = NO_TRANSACTION, lookupId = NO_TRANSACTION } = changes;
    const blinded = toHex(changes.blinded ?? blindIdentifier(SYSTEM, "emergency-1").blinded);
    const id = lookupMessageId(lookupId, 1);
    const body = JSON.stringify({ format: 1, accessId: id, lookupId, transactionHash, blinded });
    const message = { type: "lookup" as const, id, from: s.b.memberId, to, body };
    await s.b.exchange.send(await signMessage(s.b.chain, s.b.signer("clinician"), message));
    while ((await s.a.exchange.find(to, "lookup", id)) !== undefined) {
      if (errors.length > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const answer = await s.b.exchange.find(s.b.memberId, "lookup-answer", id);
    await s.b.exchange.remove({ to, type: "lookup", id });
    return answer;
  };

  it("is not answered before it is on chain, nor for another blinded identifier than was logged", async () => {
    expect(await forge({})).to.equal(undefined);
    expect(errors.splice(0).map((error) => (error as { retryable: boolean }).retryable)).to.include(true);
    const { chain } = s.b;
    const { digest } = blindIdentifier(SYSTEM, "another");
    const call = await chain.emergencies.logLookup.populateTransaction(digest);
    const { hash, logs } = await s.b.writer("clinician").execute(call);
    const logged = { transactionHash: hash as Hex, lookupId: logs[0]!.topics[1] as Hex };
    expect(await forge(logged)).to.equal(undefined);
    expect(await forge({ ...logged, lookupId: NO_TRANSACTION })).to.equal(undefined);
  });

  it("is refused beyond the day's number, by the contract", async () => {
    const { writer, signer } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    await pass(s, 3_700);
    const { memberId, chain, exchange } = s.b;
    const parts = { memberId, chain, exchange, reader: () => ({ writer, signer }) };
    const none = { custodians: [] };
    for (let times = 0; times < EMERGENCY_LIMITS.lookupQuota; times++) {
      await lookUp(parts, { system: SYSTEM, value: String(times) }, none);
    }
    const error = await rejected("ERR_ACCESS_DENIED", lookUp(parts, { system: SYSTEM, value: "x" }, none));
    expect(error.values["reason"]).to.equal("QuotaOfPersonUsed");
  });

  it("says who did not answer", async () => {
    const result = await find("emergency-1", { custodians: [1, 99], timeoutMs: 3_000 });
    expect(result[1]).to.deep.equal({ custodian: 99, answered: false });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { answerLookups } from "../../src/access/lookup-agent.js";
import { lookUp, lookupMessageId, type LookupResult } from "../../src/access/lookups.js";
import type { LookupAnswer } from "../../src/access/message-bodies.js";
import type { Message } from "../../src/access/message.js";
import { signMessage } from "../../src/access/messages.js";
import { RequestLimits } from "../../src/access/request-limits.js";
import { Chain, type StaffSigner, type Writer } from "../../src/chain/index.js";
import {
  blindIdentifier,
  blindedDigest,
  evaluateBlinded,
  fromHex,
  makeLookupKey,
  toHex,
  type Hex,
} from "../../src/crypto/index.js";
import type { ChartsealError } from "../../src/errors.js";
import { emergencyStage, pass, type EmergencyStage } from "../support/emergency.js";
import { rejected } from "../support/rejected.js";
import { RpcProxy, type Answer } from "../support/rpc-proxy.js";
import { agentOf, newStaff } from "../support/sharing.js";

const SYSTEM = "fhir:Patient";
const SLOW = 1 / 3_600;
const DAY = 86_400;

describe("a custodian that is asked for a patient without a card", function () {
  this.timeout(120_000);
  let s: EmergencyStage;
  let clinician: { signer: StaffSigner; writer: Writer };
  const blinded = () => blindIdentifier(SYSTEM, "emergency-1").blinded;

  before(async () => {
    s = await emergencyStage();
    clinician = { signer: s.b.signer("clinician"), writer: s.b.writer("clinician") };
  });
  after(() => s[Symbol.asyncDispose]());

  /** Logs a lookup, without asking. */
  async function logged(element: Uint8Array, by = clinician) {
    const { logs, hash } = await by.writer.execute(
      await s.b.chain.emergencies.logLookup.populateTransaction(blindedDigest(element)),
    );
    return { lookupId: logs[0]!.topics[1] as Hex, transactionHash: hash as Hex };
  }

  async function asking(
    log: Awaited<ReturnType<typeof logged>>,
    element: Uint8Array,
    { signer = clinician.signer, from = s.b.memberId }: { signer?: StaffSigner; from?: number } = {},
  ): Promise<Message> {
    const id = lookupMessageId(log.lookupId, s.a.memberId);
    const body = JSON.stringify({ format: 1, accessId: id, ...log, blinded: toHex(element) });
    const message = { type: "lookup" as const, id, from, to: s.a.memberId, body };
    return await signMessage(s.b.chain, signer, message);
  }

  /** Has a lookup answered once. The answer is taken away, so that the next is another. */
  async function answered(
    request: Message,
    { chain = s.a.chain, limits }: { chain?: Chain; limits?: RequestLimits } = {},
  ) {
    const errors: unknown[] = [];
    await s.b.exchange.send(request);
    const onError = (error: unknown) => errors.push(error);
    const options = limits === undefined ? { onError } : { onError, limits };
    await answerLookups(agentOf(s.a, { chain }), options);
    const waits = (await s.a.exchange.find(request.to, "lookup", request.id)) !== undefined;
    await s.a.exchange.remove(request);
    const place = { to: request.from, type: "lookup-answer" as const, id: request.id };
    const answer = await s.b.exchange.find(place.to, place.type, place.id);
    await s.b.exchange.remove(place);
    return { answer, waits, codes: errors.map((error) => (error as ChartsealError).code) };
  }
  const nothing = { answer: undefined, waits: false, codes: [] };

  it("waits until it is as many blocks deep as the configuration says", async () => {
    const { url } = s.consortium.chain;
    using chain = Chain.open({ url, deployment: s.consortium.deployment, confirmations: 3 });
    const element = blinded();
    const request = await asking(await logged(element), element);
    const waiting = { answer: undefined, waits: true, codes: ["ERR_EXCHANGE_INVALID"] };
    for (let deep = 1; deep < 3; deep++) {
      expect(await answered(request, { chain })).to.deep.equal(waiting);
      await s.consortium.chain.rpc("evm_mine");
    }
    expect((await answered(request, { chain })).answer?.type).to.equal("lookup-answer");
  });

  it("answers it once, also after a new start; logged again, once more", async () => {
    const element = blinded();
    const log = await logged(element);
    const request = await asking(log, element);
    expect((await answered(request)).answer?.type).to.equal("lookup-answer");
    expect(await answered(request)).to.deep.equal(nothing);
    const signedAgain = await asking(log, element);
    expect(await answered(signedAgain)).to.deep.equal(nothing);
    const again = await asking(await logged(element), element);
    expect((await answered(again)).answer?.type).to.equal("lookup-answer");
    expect(await answered(again)).to.deep.equal(nothing);
  });

  it("evaluates no other element than was logged, neither before nor after that", async () => {
    const element = blinded();
    const log = await logged(element);
    const other = await asking(log, blindIdentifier(SYSTEM, "emergency-2").blinded);
    expect(await answered(other)).to.deep.equal(nothing);
    expect((await answered(await asking(log, element))).answer?.type).to.equal("lookup-answer");
    expect(await answered(other)).to.deep.equal(nothing);
  });

  it("lets nobody ask more often than its other requests", async () => {
    const rate = { burst: 1, perSecond: SLOW };
    const limits = new RequestLimits(s.a.chain, { account: rate, member: { ...rate, burst: 100 } });
    const [first, second] = [blinded(), blinded()];
    const request = await asking(await logged(first), first);
    expect((await answered(request, { limits })).answer?.type).to.equal("lookup-answer");
    const next = await asking(await logged(second), second);
    const limited = { answer: undefined, waits: true, codes: ["ERR_RATE_LIMITED"] };
    expect(await answered(next, { limits })).to.deep.equal(limited);
    expect((await answered(next)).answer?.type).to.equal("lookup-answer");
  });

  it("tells nothing to another account than logged it, nor to one of another member than it says", async () => {
    const element = blinded();
    const log = await logged(element);
    const colleague = await asking(log, element, { signer: s.colleague });
    expect(await answered(colleague)).to.deep.equal(nothing);
    expect(await answered(await asking(log, element, { from: s.a.memberId }))).to.deep.equal(nothing);
    const ownClinician = await asking(log, element, { signer: s.a.signer("clinician") });
    expect(await answered(ownClinician)).to.deep.equal(nothing);
  });

  it("tells nothing to a member that may not read, nor to who was dismissed meanwhile", async () => {
    const element = blinded();
    const request = await asking(await logged(element), element);
    await s.consortium.suspend(s.hospitals.b, "READING");
    expect(await answered(request)).to.deep.equal(nothing);
    await s.consortium.suspend(s.hospitals.b);
    const leaving = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]);
    await pass(s, 3_700);
    const last = blinded();
    const late = await asking(await logged(last, leaving), last, { signer: leaving.signer });
    await s.b.members.revokeStaff(s.hospitals.b.admin, leaving.signer.address, new Date(0), "LEFT");
    expect(await answered(late)).to.deep.equal(nothing);
  });

  it("tells nothing once a quarter of an hour has passed", async () => {
    const element = blinded();
    const request = await asking(await logged(element), element);
    await pass(s, 901);
    expect(await answered(request)).to.deep.equal(nothing);
  });

  describe("by a node that lies", () => {
    type Lie = (result: Record<string, unknown>) => unknown;
    let proxy: RpcProxy;
    before(async () => {
      proxy = await RpcProxy.before(s.consortium.chain.url);
    });
    after(() => proxy[Symbol.asyncDispose]());

    const OTHER = `0x${"ab".repeat(32)}`;
    for (const [what, method, lie] of [
      [
        "another block's hash in the receipt",
        "eth_getTransactionReceipt",
        (r) => ({ ...r, blockHash: OTHER }),
      ],
      ["a block of another hash at that place", "eth_getBlockByNumber", (r) => ({ ...r, hash: OTHER })],
      ["a failed transaction with events", "eth_getTransactionReceipt", (r) => ({ ...r, status: "0x0" })],
      ["a block without the transaction", "eth_getBlockByNumber", (r) => ({ ...r, transactions: [OTHER] })],
      ["a block of another time", "eth_getBlockByNumber", (r) => ({ ...r, timestamp: "0x1" })],
      ["a head before the lookup", "eth_blockNumber", () => "0x1"],
    ] as [string, string, Lie][]) {
      it(`gives nothing for ${what}, and what was asked waits`, async () => {
        proxy.intercept = () => undefined;
        const { deployment } = s.consortium;
        using chain = Chain.open({ url: proxy.url, deployment, callTimeoutMs: 2_000 });
        const element = blinded();
        const request = await asking(await logged(element), element);
        proxy.intercept = async (call): Promise<Answer> => {
          if (call.method !== method) return undefined;
          return { result: lie(await s.consortium.chain.rpc(method, call.params)) };
        };
        const lied = await answered(request, { chain });
        expect(lied).to.deep.include({ answer: undefined, waits: true });
        expect(lied.codes).to.have.length(1);
        proxy.intercept = () => undefined;
        expect((await answered(request, { chain })).answer?.type).to.equal("lookup-answer");
      });
    }

    it("gives nothing for another contract's event", async () => {
      const element = blinded();
      const request = await asking(await logged(element), element);
      proxy.intercept = async ({ method, params }): Promise<Answer> => {
        if (method !== "eth_getTransactionReceipt") return undefined;
        const receipt = await s.consortium.chain.rpc<{ logs: object[] }>(method, params);
        const logs = receipt.logs.map((log) => ({ ...log, address: `0x${"12".repeat(20)}` }));
        return { result: { ...receipt, logs } };
      };
      using chain = Chain.open({ url: proxy.url, deployment: s.consortium.deployment });
      expect(await answered(request, { chain })).to.deep.equal(nothing);
    });
  });

  describe("and answers falsely", () => {
    before(() => pass(s, DAY)); // the clinician looked for enough today
    /** Looks up, while what the custodian answers is altered on its way. */
    async function found(
      alter: (message: Message) => Promise<Message>,
      custodians = [s.a.memberId],
    ): Promise<LookupResult[]> {
      const { exchange, chain, memberId } = s.b;
      const altering = {
        send: async (message: Message) => {
          await exchange.send(message);
          await answerLookups(agentOf(message.to === s.a.memberId ? s.a : s.b));
        },
        receive: exchange.receive.bind(exchange),
        remove: exchange.remove.bind(exchange),
        find: async (...place: Parameters<typeof exchange.find>) => {
          const message = await exchange.find(...place);
          return message && (await alter(message));
        },
      };
      const parts = { memberId, chain, exchange: altering, reader: () => clinician };
      const options = { custodians, timeoutMs: 1_000 };
      return await lookUp(parts, { system: SYSTEM, value: "emergency-1" }, options);
    }
    const unanswered = [{ custodian: 1, answered: false }];
    const rewritten = async (
      message: Message,
      change: (answer: LookupAnswer) => Partial<LookupAnswer>,
      signer = s.a.signer("releaser"),
    ) => {
      const answer = JSON.parse(message.body) as LookupAnswer;
      const body = JSON.stringify({ ...answer, ...change(answer) });
      return await signMessage(s.a.chain, signer, { ...message, body });
    };

    it("is believed when nothing was altered", async () => {
      const result = [{ custodian: 1, answered: true, patient: s.patient }];
      expect(await found(async (message) => message)).to.deep.equal(result);
    });

    it("is passed over when the answer was altered on its way", async () => {
      const altered = async (message: Message) => ({ ...message, body: `${message.body} ` });
      expect(await found(altered)).to.deep.equal(unanswered);
    });

    it("is passed over when somebody else signed the answer", async () => {
      for (const signer of [s.b.signer("releaser"), s.a.signer("operator")])
        expect(await found((message) => rewritten(message, () => ({}), signer))).to.deep.equal(unanswered);
    });

    const falsely = (message: Message, signer = s.a.signer("releaser")) =>
      rewritten(
        message,
        ({ evaluated, publicKey }) => {
          const evaluation = evaluateBlinded(makeLookupKey(), fromHex(evaluated));
          return { evaluated: toHex(evaluation.evaluated), proof: toHex(evaluation.proof), publicKey };
        },
        signer,
      );
    const refused = async (alter: (message: Message) => Promise<Message>, why: string) => {
      const [{ error, ...result } = {}, ...others] = await found(alter);
      expect([result, ...others]).to.deep.equal(unanswered);
      expect(error?.code).to.equal("ERR_EXCHANGE_INVALID");
      expect(error?.message).to.contain(why);
    };

    it("is refused for an evaluation with another key than it shows", () =>
      refused(falsely, "evaluation does not hold"));

    it("is refused for a table that was cut", () =>
      refused(
        (message) => rewritten(message, ({ table }) => ({ table: table.slice(0, -4) })),
        "table is damaged",
      ));

    it("is refused for an answer without its table", () =>
      refused((message) => rewritten(message, () => ({ table: "" })), "a bad table"));

    it("hides nothing that another custodian found", async () => {
      const lying = async (message: Message) =>
        message.from === s.b.memberId ? await falsely(message, s.b.signer("releaser")) : message;
      const [honest, liar] = await found(lying, [s.a.memberId, s.b.memberId]);
      expect(honest).to.deep.equal({ custodian: s.a.memberId, answered: true, patient: s.patient });
      expect(liar).to.deep.include({ custodian: s.b.memberId, answered: false });
      expect(liar?.error?.code).to.equal("ERR_EXCHANGE_INVALID");
    });

    it("is no excuse for the asker's own node: that it is down is thrown", async () => {
      const { exchange, memberId } = s.b;
      await using proxy = await RpcProxy.before(s.consortium.chain.url);
      using chain = Chain.open({ url: proxy.url, deployment: s.consortium.deployment });
      const dying = {
        ...{ send: exchange.send.bind(exchange), receive: exchange.receive.bind(exchange) },
        ...{ remove: exchange.remove.bind(exchange) },
        find: async (...place: Parameters<typeof exchange.find>) => {
          await answerLookups(agentOf(s.a));
          proxy.intercept = () => "drop";
          return await exchange.find(...place);
        },
      };
      const parts = { memberId, chain, exchange: dying, reader: () => clinician };
      const asked = lookUp(parts, { system: SYSTEM, value: "emergency-1" }, { custodians: [s.a.memberId] });
      await rejected("ERR_RPC_UNAVAILABLE", asked);
    });
  });
});

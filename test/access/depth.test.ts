// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { answerRequest } from "../../src/access/answer-request.js";
import { parseRelease } from "../../src/access/message-bodies.js";
import { Chain } from "../../src/chain/index.js";
import { openIndexPage } from "../../src/crypto/index.js";
import type { Answer } from "../support/rpc-proxy.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import { listening, post } from "../support/listening.js";
import { rejected } from "../support/rejected.js";
import {
  agentOf,
  grant,
  logAccess,
  patientWith,
  requestFor,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

describe("how deep an access must stand in the chain", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 1);
  });

  const chainAt = (url: string, confirmations = 1) =>
    Chain.open({ url, deployment: s.consortium.deployment, confirmations, callTimeoutMs: 2_000 });

  it("is as many blocks as the configuration says, its own included", async () => {
    using chain = chainAt(s.consortium.chain.url, 3);
    const parts = agentOf(s.a, { chain });
    const request = await requestFor(s, await logAccess(s, p.ticket));
    for (let deep = 1; deep < 3; deep++) {
      const error = await rejected("ERR_CAPSULE_REFUSED", answerRequest(parts, request));
      expect(error.message).to.contain("is not 3 blocks deep yet");
      expect(error.retryable).to.equal(true);
      await s.consortium.chain.rpc("evm_mine");
    }
    expect((await answerRequest(parts, request)).message?.type).to.equal("release");
  });

  it("is waited for over HTTP, while the reader's request is held", async () => {
    using chain = chainAt(s.consortium.chain.url, 2);
    await using agent = await listening(agentOf(s.a, { chain }));
    const request = await requestFor(s, await logAccess(s, p.ticket));
    const answer = post(agent.address, JSON.stringify(request));
    const early = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 300))]);
    expect(early).to.equal(undefined);
    await s.consortium.chain.rpc("evm_mine");
    expect((await answer).status).to.equal(200);
  });

  it("is nothing once a reorganisation took the access away, also when it was served before", async () => {
    const { rpc } = s.consortium.chain;
    const snapshot = await rpc("evm_snapshot");
    const access = await logAccess(s, p.ticket);
    const request = await requestFor(s, access);
    expect((await answerRequest(agentOf(s.a), request)).message?.type).to.equal("release");
    await rpc("evm_revert", [snapshot]);
    s.b.writer("clinician").forgetNonces();
    await rpc("evm_mine");
    const error = await rejected("ERR_CAPSULE_REFUSED", answerRequest(agentOf(s.a), request));
    expect(error.message).to.contain("is not mined yet");
  });

  it("does not tie what was made for an access to another one that took its place and its id", async () => {
    const { rpc } = s.consortium.chain;
    const toC = await grant(s.a, p.patient, p.device, { grantee: s.c.memberId });
    const snapshot = await rpc("evm_snapshot");
    const lost = await logAccess(s, p.ticket);
    await answerRequest(agentOf(s.a), await requestFor(s, lost));
    await rpc("evm_revert", [snapshot]);
    s.b.writer("clinician").forgetNonces();
    const reader = { ...s, b: s.c };
    const stands = await logAccess(reader, toC);
    expect(stands.accessId).to.equal(lost.accessId);
    const request = await requestFor(reader, stands);
    const { message } = await answerRequest(agentOf(s.a), request);
    const { accessId, index } = parseRelease(message!);
    const keyEpoch = s.c.vault.currentEpoch()!;
    const { chainId, deployment } = s.c.chain;
    const binding = { chainId, accessLog: deployment.accessLog, accessId };
    await openIndexPage(index, { ...binding, secretKey: s.c.vault.memberSecretKey(keyEpoch) });
    expect((await answerRequest(agentOf(s.a), request)).message).to.deep.equal(message);
  });

  describe("by a node that lies", () => {
    type Lie = (result: Record<string, unknown>) => unknown;
    let proxy: RpcProxy;

    before(async () => {
      proxy = await RpcProxy.before(s.consortium.chain.url);
    });
    after(() => proxy[Symbol.asyncDispose]());

    /** What the node says to `method`, changed. */
    function lying(method: string, lie: Lie): void {
      proxy.intercept = async (request): Promise<Answer> => {
        if (request.method !== method) return undefined;
        const truth = await s.consortium.chain.rpc<Record<string, unknown>>(method, request.params);
        return { result: lie(truth) };
      };
    }

    async function asked() {
      proxy.intercept = () => undefined;
      const request = await requestFor(s, await logAccess(s, p.ticket));
      return { request, answer: () => answerRequest(agentOf(s.a, { chain: chainAt(proxy.url) }), request) };
    }

    const OTHER = `0x${"ab".repeat(32)}`;
    for (const [what, method, lie, code] of [
      [
        "another block's hash in the receipt",
        "eth_getTransactionReceipt",
        (r) => ({ ...r, blockHash: OTHER }),
        "ERR_CAPSULE_REFUSED",
      ],
      [
        "a block of another hash at that place",
        "eth_getBlockByNumber",
        (r) => ({ ...r, hash: OTHER }),
        "ERR_CAPSULE_REFUSED",
      ],
      ["no block at that place", "eth_getBlockByNumber", () => null, "ERR_CAPSULE_REFUSED"],
      [
        "a failed transaction with events",
        "eth_getTransactionReceipt",
        (r) => ({ ...r, status: "0x0" }),
        "ERR_CHAIN_MISMATCH",
      ],
      [
        "a block without the transaction",
        "eth_getBlockByNumber",
        (r) => ({ ...r, transactions: [OTHER] }),
        "ERR_CHAIN_MISMATCH",
      ],
      [
        "a block of another time",
        "eth_getBlockByNumber",
        (r) => ({ ...r, timestamp: "0x1" }),
        "ERR_CHAIN_MISMATCH",
      ],
      ["a head before the access", "eth_blockNumber", () => "0x1", "ERR_CAPSULE_REFUSED"],
    ] as [string, string, Lie, "ERR_CAPSULE_REFUSED" | "ERR_CHAIN_MISMATCH"][]) {
      it(`is no reason to release: ${what}`, async () => {
        const { request, answer } = await asked();
        lying(method, lie);
        const error = await rejected(code, answer());
        if (code === "ERR_CAPSULE_REFUSED") expect(error.retryable).to.equal(true);
        expect(s.a.vault.releases.get(request.id)).to.equal(undefined);
        proxy.intercept = () => undefined;
        expect((await answer()).message?.type).to.equal("release");
      });
    }

    it("is no reason to release: a receipt of another access's", async () => {
      const { request, answer } = await asked();
      const other = await logAccess(s, p.ticket);
      proxy.intercept = async ({ method }) =>
        method === "eth_getTransactionReceipt"
          ? { result: await s.consortium.chain.rpc(method, [other.transactionHash]) }
          : undefined;
      const { answer: outcome } = await answer();
      expect(outcome.dropped).to.equal(true);
      expect(s.a.vault.releases.get(request.id)).to.equal(undefined);
    });
  });
});

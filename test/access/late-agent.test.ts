// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { LateAnswer } from "../../src/access/index.js";
import { refreshLastKnown } from "../../src/access/last-known.js";
import { runLateAgent } from "../../src/access/late-agent.js";
import { Chain, Writer } from "../../src/chain/index.js";
import { signAs } from "../../src/consent/index.js";
import { emergencyStage, type EmergencyStage } from "../support/emergency.js";
import { rejected } from "../support/rejected.js";
import { agentOf } from "../support/sharing.js";

const now = () => Math.floor(Date.now() / 1_000);
/** Seconds without a block after which an agent tries whether the chain makes any. */
const SILENCE = 120;

describe("a custodian whose node answers, and shows no block of the last minutes", function () {
  this.timeout(120_000);
  let s: EmergencyStage;

  before(async () => {
    s = await emergencyStage({ timestamp: now() - 7_200 });
    await refreshLastKnown(s.a.vault, s.a.chain);
    await refreshLastKnown(s.b.vault, s.b.chain);
  });
  after(() => s[Symbol.asyncDispose]());

  /** Asks for an emergency while the custodian's agent goes by this chain. */
  async function ask(chain: Chain) {
    const { patient, colleague, b } = s;
    const prepared = b.access.prepareWithoutChain({
      patient,
      colleague: colleague.address,
      reason: "unconscious",
    });
    const colleagueSignature = await signAs(colleague, prepared.typedData);
    const stop = new AbortController();
    const answers: LateAnswer[] = [];
    const writer = new Writer(chain, s.a.signer("releaser"));
    const parts = { ...agentOf(s.a, { chain }), writer };
    const agent = runLateAgent(parts, { signal: stop.signal, onLate: (answer) => answers.push(answer) });
    try {
      return await b.access.withoutChain({ prepared, colleagueSignature, custodian: 1 });
    } finally {
      stop.abort();
      await agent;
    }
  }

  it("refuses while the chain is only idle: it mines what it is given", async () => {
    const { chain, vault } = s.a;
    const before = (await chain.provider.getBlock("latest"))!;
    expect(now() - before.timestamp).to.be.greaterThan(SILENCE);
    const error = await rejected("ERR_CAPSULE_REFUSED", ask(chain));
    expect(error.message).to.contain("the chain runs");
    expect(await chain.provider.getBlockNumber()).to.equal(before.number + 1);
    expect(vault.releases.unfiled()).to.deep.equal([]);
  });

  it("releases when the chain mines nothing", async () => {
    const { url, rpc } = s.consortium.chain;
    using chain = Chain.open({ url, deployment: s.consortium.deployment, confirmationTimeoutMs: 500 });
    await rpc("evm_setAutomine", [false]);
    const before = (await chain.provider.getBlock("latest"))!;
    expect(now() - before.timestamp).to.be.greaterThan(SILENCE);
    const { windowId, opened } = await ask(chain);
    expect(await chain.provider.getBlockNumber()).to.equal(before.number);
    expect(opened.entries).to.have.length(s.lines.length);
    expect(s.a.vault.releases.unfiled().map((kept) => kept.windowId)).to.deep.equal([windowId]);
  });
});

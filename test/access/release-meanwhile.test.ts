// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { answerRequest } from "../../src/access/answer-request.js";
import { takeWithdrawal, type Told } from "../../src/access/withdrawal.js";
import type { AgentParts } from "../../src/access/release-agent.js";
import { storedRelease } from "../../src/access/stored-release.js";
import { Chain } from "../../src/chain/index.js";
import { signAs } from "../../src/consent/index.js";
import type { Leaf } from "../../src/crypto/index.js";
import { withdrawKeys } from "../../src/ingest/item-events.js";
import { Asking } from "../support/asking.js";
import { linesSource, observation } from "../support/observations.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import {
  agentOf,
  logAccess,
  patientWith,
  requestFor,
  revoke,
  setDirective,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

/** While a release is agreed on with the member's other agents, or while its receipt is filed. */
const MOMENTS = ["agree", "fileReceipt"] as const;

describe("what happens while a release is made", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
  });

  /** What becomes of a request when `happens` comes between the first check and the answer. */
  async function answered(
    p: SharedPatient,
    happens: () => unknown,
    moment: (typeof MOMENTS)[number] = "agree",
    access = logAccess(s, p.ticket, "CHART"),
  ) {
    const usual = agentOf(s.a);
    const between: Record<typeof moment, Partial<AgentParts>> = {
      agree: { agree: async (_, stored) => (await happens(), stored) },
      fileReceipt: { fileReceipt: async (receipt) => (await usual.fileReceipt(receipt), await happens()) },
    };
    const request = await requestFor(s, await access);
    const { answer } = await answerRequest(agentOf(s.a, between[moment]), request);
    const stored = s.a.vault.releases.get(request.id);
    return { error: answer.error, stored: stored === undefined ? undefined : storedRelease(stored) };
  }

  async function told(p: SharedPatient, changes: { denyAll?: boolean; deniedCompartments?: number[] } = {}) {
    const { patient: patientId, ticket } = p;
    if (Object.keys(changes).length === 0) {
      const data = s.a.consent.revocation(patientId, ticket.termsHash);
      const signature = await signAs(p.device, data);
      const { termsHash } = ticket;
      return await takeWithdrawal(agentOf(s.a), {
        format: 1,
        kind: "revocation",
        patientId,
        termsHash,
        signature,
      });
    }
    const data = await s.a.consent.directive({ patient: patientId, ...changes });
    const said = { ...data.message, deniedCompartments: String(data.message["deniedCompartments"]) };
    const rest = { nonce: String(data.message["nonce"]), signature: await signAs(p.device, data) };
    const directive = { format: 1, kind: "directive", ...said, ...rest } as unknown as Told;
    return await takeWithdrawal(agentOf(s.a), directive);
  }

  const erase = async ({ device }: SharedPatient, { index }: Leaf) => {
    const act = await s.a.erasures.prepare(index, "patient");
    await s.a.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });
  };

  for (const moment of MOMENTS) {
    describe(`(${moment})`, () => {
      it("stops it: a revocation that the agent is told", async () => {
        const p = await patientWith(s, 1);
        const { error } = await answered(p, () => told(p), moment);
        expect(error?.message).to.contain("the patient revoked the grant");
      });

      it("stops it: a directive that the agent is told, also of one compartment", async () => {
        const p = await patientWith(s, 1);
        const [leaf] = ask.leaves(p) as [Leaf];
        const denied = { deniedCompartments: [leaf.compartment] };
        const { error } = await answered(p, () => told(p, denied), moment);
        expect(error?.message).to.contain(`entry ${leaf.index} of its release is not permitted any more`);
        const all = await answered(p, () => told(p, { denyAll: true }), moment);
        expect(all.error?.message).to.contain("the patient denies all");
      });

      it("stops it, and leaves no capsule: an erasure", async () => {
        const p = await patientWith(s, 2);
        const [, gone] = ask.leaves(p) as [Leaf, Leaf];
        const { error, stored } = await answered(p, () => erase(p, gone), moment);
        expect(error?.message).to.contain(`entry ${gone.index} of its release is not permitted any more`);
        expect(stored).to.include({ release: "" });
        expect(stored!.indices).to.include(gone.index);
      });

      it("stops it: a retraction, and what its source took back", async () => {
        const p = await patientWith(s, 2);
        const [first, second] = ask.leaves(p) as [Leaf, Leaf];
        const retracted = await answered(p, () => s.a.retract(first.index), moment);
        expect(retracted.error?.message).to.contain(`entry ${first.index} of its release is not permitted`);
        const takeBack = () => {
          const { sourceKey } = s.a.journal.details(s.a.journal.itemAt(second.index)!.id);
          s.a.journal.database.transaction(() => withdrawKeys(s.a.journal, [sourceKey]));
        };
        const named = ask.logRecords(p, [second.index]);
        const withdrawn = await answered(p, takeBack, moment, named);
        expect(withdrawn.error?.message).to.contain(`entry ${second.index} of its release is not permitted`);
        await s.a.retry();
      });
    });
  }

  it("stops it: a revocation or directive on chain", async () => {
    const p = await patientWith(s, 1);
    expect((await answered(p, () => revoke(s.a, p))).error?.message).to.contain("TermsRevoked");
    const other = await patientWith(s, 1);
    const denied = await answered(other, () => setDirective(s.a, other, { denyAll: true }));
    expect(denied.error?.message).to.contain("DirectiveDeniesAll");
  });

  it("stops it: its reader's member withdraws its key, or replaces it", async () => {
    const p = await patientWith(s, 1);
    const { admin, memberId } = s.hospitals.b;
    const without = await answered(p, () => s.b.members.withdrawKey(admin, memberId, new Date(0)));
    try {
      expect(without.error?.message).to.contain("no usable encryption key");
    } finally {
      await s.b.members.publishKey(admin, memberId, s.b.vault);
    }
    const replaced = await answered(p, () => s.b.members.publishKey(admin, memberId, s.b.vault));
    expect(replaced.error?.message).to.contain("sealed to key epoch");
  });

  it("leaves no capsule of what an erasure looked for just before it was stored", async () => {
    const p = await patientWith(s, 2);
    const [, gone] = ask.leaves(p) as [Leaf, Leaf];
    // The erasure looks through what is stored, and this release comes after.
    const late = (stored: string, accessId: `0x${string}`) => {
      const { releases } = s.a.vault;
      releases.replace(accessId, releases.get(accessId)!, stored);
    };
    const agree: AgentParts["agree"] = async ({ accessId }, stored) => {
      await erase(p, gone);
      late(stored, accessId);
      return stored;
    };
    const request = await requestFor(s, await logAccess(s, p.ticket, "CHART"));
    const { answer } = await answerRequest(agentOf(s.a, { agree }), request);
    expect(answer.error?.code).to.equal("ERR_CAPSULE_REFUSED");
    expect(storedRelease(s.a.vault.releases.get(request.id)!).release).to.equal("");
  });

  it("is asked of the node in as many questions for many entries as for one", async () => {
    const asked = async (records: number) => {
      const p = await patientWith(s, 0);
      const lines = Array.from({ length: records }, (_, id) =>
        observation({ id: `many-${p.patient}-${id}`, patient: ask.identifierOf(p) }),
      );
      await s.a.ingest(linesSource(lines));
      const request = await requestFor(s, await logAccess(s, p.ticket, "CHART"));
      await using proxy = await RpcProxy.before(s.consortium.chain.url);
      using chain = Chain.open({ url: proxy.url, deployment: s.consortium.deployment });
      const bulk = chain.records.interface.getFunction("rootAndStatus").selector;
      let [of, others] = [0, 0];
      proxy.intercept = ({ params }) => {
        const data = (params[0] as { data?: string } | undefined)?.data;
        if (data?.startsWith(bulk) === true) of++;
        else others++;
        return undefined;
      };
      expect((await answerRequest(agentOf(s.a, { chain }), request)).answer.error).to.equal(undefined);
      return [of, others];
    };
    const [one, many] = [await asked(1), await asked(40)];
    expect([one[0], many[0]]).to.deep.equal([1, 40]); // each is asked for once
    expect(many[1]).to.equal(one[1]);
  });
});

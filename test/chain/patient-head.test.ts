// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { collectLogs, headCount, headOfLogs } from "../../src/chain/index.js";
import type { Hex } from "../../src/crypto/index.js";
import {
  grant,
  logAccess,
  patientWith,
  revoke,
  setDirective,
  sharing,
  type Sharing,
} from "../support/sharing.js";

type Contract = "patients" | "consents" | "accessLog";

describe("headOfLogs", function () {
  this.timeout(60_000);
  let s: Sharing;

  before(async () => {
    s = await sharing();
  });

  async function logsOf(contract: Contract, patient: Hex) {
    const { chain } = s.b;
    const address = chain.deployment[contract];
    const all = await collectLogs(chain, { address, topics: [] });
    return all.filter(({ topics }) => topics.slice(1).includes(patient));
  }

  async function heads(patient: Hex) {
    const { patients, consents, accessLog } = s.b.chain;
    const contracts: [Contract, bigint][] = [
      ["patients", await patients.headOf(patient)],
      ["consents", await consents.headOf(patient)],
      ["accessLog", await accessLog.headOf(patient)],
    ];
    return contracts;
  }

  it("is the contracts' head after any sequence of events, and for no part or other order of them", async () => {
    const acts = fc.constantFrom("grant", "revoke", "directive", "list", "chart");
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { minLength: 1, maxLength: 6 }), async (sequence) => {
        const p = await patientWith(s, 1);
        for (const act of sequence) await perform(act, p);
        for (const [contract, head] of await heads(p.patient)) {
          const logs = await logsOf(contract, p.patient);
          expect(headOfLogs(logs), contract).to.equal(head);
          expect(headCount(head)).to.equal(BigInt(logs.length));
          for (const missing of logs.keys())
            expect(headOfLogs(logs.toSpliced(missing, 1))).not.to.equal(head);
          if (logs.length > 1) expect(headOfLogs(logs.toReversed())).not.to.equal(head);
        }
      }),
      { numRuns: 4 },
    );
  });

  async function perform(act: string, p: Awaited<ReturnType<typeof patientWith>>): Promise<void> {
    if (act === "grant") await grant(s.a, p.patient, p.device, { grantee: s.b.memberId });
    if (act === "directive") await setDirective(s.a, p, { deniedCompartments: [63] });
    const terms = await grant(s.a, p.patient, p.device, { grantee: s.b.memberId, compartments: [1, 2] });
    if (act === "revoke") await revoke(s.a, { ...p, ticket: terms });
    if (act === "list" || act === "chart") await logAccess(s, terms, act === "list" ? "INDEX" : "CHART");
  }

  it("is zero for a patient of whom nothing is known", async () => {
    const stranger: Hex = `0x${"ab".repeat(32)}`;
    for (const [contract, head] of await heads(stranger)) {
      expect(head).to.equal(headOfLogs(await logsOf(contract, stranger)));
      expect(head).to.equal(0n);
    }
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { requestRecords, requestScope } from "./accesses.js";
import { loadWithBases } from "./bases.js";
import type { WithBases } from "./bases.js";
import { ALL_COMPARTMENTS, Purpose } from "./consortium.js";
import { requestOwn } from "./own-requests.js";
import { setDirective } from "./patient-acts.js";

/** What may come of a request for records of compartment 0. */
const PASSES = "passes";
const ALL_DENIED = "DirectiveDeniesAll";
const NO_EMERGENCY = "EmergencyDenied";
const NOT_PERMITTED = "compartment not permitted";
type Outcome = typeof PASSES | typeof ALL_DENIED | typeof NO_EMERGENCY | typeof NOT_PERMITTED;

const DIRECTIVES = {
  "no directive": undefined,
  "denies nothing": {},
  "denies all": { denyAll: true },
  "denies emergencies": { denyEmergency: true },
  "denies the compartment": { deniedCompartments: 1n },
  "denies another compartment": { deniedCompartments: 2n },
};
const BASES = ["grant", "break-glass", "order", "own request"] as const;

/** A lawful order stands above the directive, the directive above break-glass and grants; it binds others only. */
const TABLE: Record<keyof typeof DIRECTIVES, [Outcome, Outcome, Outcome, Outcome]> = {
  "no directive": [PASSES, PASSES, PASSES, PASSES],
  "denies nothing": [PASSES, PASSES, PASSES, PASSES],
  "denies all": [ALL_DENIED, NO_EMERGENCY, PASSES, PASSES],
  "denies emergencies": [PASSES, NO_EMERGENCY, PASSES, PASSES],
  "denies the compartment": [NOT_PERMITTED, NOT_PERMITTED, PASSES, PASSES],
  "denies another compartment": [PASSES, PASSES, PASSES, PASSES],
};

/** What each kind of request gives to read, and the error by which it refuses a compartment. */
const REQUESTS = {
  requestRecords: {
    act: (f: WithBases, request: Request) => requestRecords(f, [f.entries[0]!], request),
    refused: (f: WithBases) => ({
      error: "CompartmentNotPermitted",
      args: [f.entries[0]!.leaf.index, 0, ALL_COMPARTMENTS & ~1n],
    }),
  },
  requestScope: {
    act: (f: WithBases, request: Request) => requestScope(f, { compartments: 1n }, request),
    refused: () => ({ error: "CompartmentsNotPermitted", args: [1n, ALL_COMPARTMENTS & ~1n] }),
  },
};
interface Request {
  terms: WithBases["terms"];
  purpose: number;
}

function requestOn(f: WithBases, basis: "grant" | "break-glass" | "order"): Request {
  if (basis === "grant") return { terms: f.terms, purpose: Purpose.TREAT };
  if (basis === "order") return { terms: f.order.terms, purpose: Purpose.HLEGAL };
  return { terms: f.window.terms, purpose: Purpose.BTG };
}

describe("Precedence: lawful order > directive > break-glass and grants", () => {
  for (const directive of Object.keys(DIRECTIVES) as (keyof typeof DIRECTIVES)[]) {
    for (const [column, basis] of BASES.entries()) {
      const outcome = TABLE[directive][column]!;
      it(`${directive}, ${basis}: ${outcome}`, async () => {
        const f = await loadWithBases();
        if (DIRECTIVES[directive]) await setDirective(f, f.patient, DIRECTIVES[directive]);
        if (basis === "own request") {
          expect(outcome).to.equal(PASSES);
          await requestOwn(f, f.patient, { compartments: 1n });
          return;
        }
        for (const request of Object.values(REQUESTS)) {
          const sent = request.act(f, requestOn(f, basis));
          await expectOutcome(f, outcome, sent, request.refused(f));
        }
      });
    }
  }
});

async function expectOutcome(
  f: WithBases,
  outcome: Outcome,
  sent: Promise<unknown>,
  refused: { error: string; args: unknown[] },
): Promise<void> {
  const { patientId } = f.patient;
  if (outcome === PASSES) {
    await sent;
  } else if (outcome === NOT_PERMITTED) {
    await expect(sent)
      .to.be.revertedWithCustomError(f.accessLog, refused.error)
      .withArgs(...refused.args);
  } else if (outcome === ALL_DENIED) {
    await expect(sent).to.be.revertedWithCustomError(f.consents, outcome).withArgs(patientId);
  } else {
    await expect(sent).to.be.revertedWithCustomError(f.emergencies, outcome).withArgs(patientId);
  }
}

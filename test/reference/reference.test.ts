// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { deployContracts, networkHelpers, now } from "../contracts/consortium.js";
import { SEED } from "../support/properties.js";
import { PURPOSE, SECONDS_A_DAY } from "./acts.js";
import type { Act, Done, History } from "./acts.js";
import { prologue, termsOf } from "./cast.js";
import { actOf } from "./choices.js";
import { faultsOf } from "./evaluator.js";
import { says } from "./reasons.js";
import { ask, perform } from "./calls.js";
import { Stage } from "./stage.js";
import { stories, timeOf } from "./stories.js";
import type { Story } from "./stories.js";

/** Histories of a test run; CHARTSEAL_RUNS asks for more. */
const RUNS = Number(process.env["CHARTSEAL_RUNS"] ?? 40);

describe("The contracts and an access model written from the rules", () => {
  it("give the same verdict on every act and request of random histories", async function () {
    this.timeout(0);
    /** What was read by; what never comes is not tested. */
    const bases = new Set<string>();
    await fc.assert(
      fc.asyncProperty(stories, async (story) => await play(story, bases)),
      { numRuns: RUNS, seed: SEED },
    );
    expect([...bases]).to.have.members(["grant", "order", "window", "own"]);
  });
});

async function play(story: Story, bases: Set<string>): Promise<void> {
  const stage = await Stage.on(await networkHelpers.loadFixture(deployContracts));
  // In the night of the next day, so that the day lasts.
  let at = (Math.floor((await now()) / SECONDS_A_DAY) + 1) * SECONDS_A_DAY + 3_600;
  const terms = story.terms.map((choice, place) => termsOf(at, choice, place));
  stage.prepareRefs(terms);
  const history: Done[] = [];
  for (const act of prologue(at, terms)) {
    const done = { ...act, at: at++ };
    expect(await perform(stage, done), act.kind).to.equal(undefined);
    history.push(done);
  }
  for (const step of story.steps) {
    at = timeOf({ history, at, terms }, step);
    const done = { ...actOf({ history, at, terms }, step), at };
    const refused = await perform(stage, done);
    expectSame(history, done, refused);
    if (refused === undefined) history.push(done);
    for (const request of step.requests) {
      const asked = { ...actOf({ history, at, terms }, request), at };
      const unanswered = await ask(stage, asked);
      expectSame(history, asked, unanswered);
      if (unanswered === undefined) bases.add(basisOf(asked));
    }
  }
}

/** The contracts' error is one of the model's reasons; without one of these, there is none of those. */
function expectSame(history: History, act: Done, refused: string | undefined): void {
  const faults = faultsOf(history, act.at, act);
  const same = refused === undefined ? faults.length === 0 : says(refused, faults);
  if (same) return;
  const told = [...history.slice(-12), act].map((one) => JSON.stringify(one)).join("\n");
  expect.fail(`the contracts say ${refused ?? "yes"}, the model ${faults.join(", ") || "yes"}:\n${told}`);
}

function basisOf(act: Act): string {
  if (!("basis" in act)) return "own";
  if ("window" in act.basis) return "window";
  return act.purpose === PURPOSE.HLEGAL ? "order" : "grant";
}

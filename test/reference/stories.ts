// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { LIMITS, PURPOSE, SECONDS_A_DAY, all } from "./acts.js";
import type { Act, History, Terms } from "./acts.js";
import { COMPARTMENTS } from "./cast.js";
import type { TermsChoice } from "./cast.js";
import type { Setting } from "./choice.js";

const HOUR = 3_600;
const DAY = SECONDS_A_DAY;

/** What comes next, when, and what is asked after it. Numbers choose; smaller ones are nearer to what is usual. */
export interface Step {
  wait: { seconds: number } | { limit: number; offset: number };
  kind: Act["kind"];
  picks: number[];
  requests: { kind: Act["kind"]; picks: number[] }[];
}
export interface Story {
  terms: TermsChoice[];
  steps: Step[];
}

const PICKS = 8;
const picks = fc.array(fc.noBias(fc.nat(9_999)), { minLength: PICKS, maxLength: PICKS });

/** As often as they stand here. */
const KINDS: Act["kind"][] = [
  ...([
    "grant",
    "grant",
    "grant",
    "order",
    "order",
    "breakGlass",
    "breakGlass",
    "grantOnPaper",
    "direct",
  ] as const),
  ...([
    "grant",
    "grant",
    "order",
    "delegate",
    "grantAsDelegate",
    "propose",
    "complete",
    "hold",
    "hold",
  ] as const),
  ...([
    "suspend",
    "enrol",
    "share",
    "update",
    "dismiss",
    "rotate",
    "cancel",
    "complete",
    "revoke",
    "revokeAsDelegate",
  ] as const),
  ...([
    "revokeOnPaper",
    "denyOnPaper",
    "lift",
    "justify",
    "flag",
    "flag",
    "supersede",
    "retract",
    "liftHold",
  ] as const),
  ...([
    "liftHold",
    ...(["setGuardians", "setGuardians", "proposeAsGuardians", "proposeAsGuardians"] as const),
    "liftEndedHold",
    "erase",
    "erase",
    "remove",
    "direct",
    "breakGlass",
    "grantOnPaper",
  ] as const),
];
const REQUESTS: Act["kind"][] = ["requestRecords", "requestScope", "requestOwn"];

const wait = fc.oneof(
  { weight: 12, arbitrary: fc.record({ seconds: fc.integer({ min: 1, max: 600 }) }) },
  { weight: 1, arbitrary: fc.record({ seconds: fc.constantFrom(HOUR, 4 * HOUR, DAY, 3 * DAY) }) },
  {
    weight: 3,
    arbitrary: fc.record({ limit: fc.nat(1), offset: fc.constantFrom(0, 1, -1) }),
  },
);

function termsFor(patients: readonly number[], purposes: readonly number[][]): fc.Arbitrary<TermsChoice> {
  return fc.record({
    patient: fc.constantFrom(...patients),
    grantee: fc.constantFrom(2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 1, 9),
    compartments: fc.constantFrom(
      COMPARTMENTS,
      COMPARTMENTS,
      COMPARTMENTS,
      COMPARTMENTS,
      [0, 1],
      [1],
      [0],
      [0, 2],
      [],
    ),
    purposes: fc.constantFrom(...purposes),
    begins: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 12),
    ends: fc.constantFrom(10, 10, 3, 1),
    daysBack: fc.constantFrom(LIMITS.retentionDays + 5, 4_000, 10),
    daysUntil: fc.constantFrom(0, 0, 0, 0, 0, 0, 2, 2, 20),
  });
}
const TREATMENT = [[PURPOSE.TREAT], [PURPOSE.TREAT], [PURPOSE.TREAT, PURPOSE.HRESCH]];

/** Staff past their waiting time, and something to read by. */
const OPENING: Act["kind"][] = [
  "update",
  "grant",
  "grant",
  "order",
  "grantOnPaper",
  "delegate",
  "breakGlass",
];
const opening = OPENING.map((kind, place) => stepOf(fc.constant(kind), waitFor(place === 0 ? 2 * HOUR : 60)));

function stepOf(kind: fc.Arbitrary<Act["kind"]>, waiting: fc.Arbitrary<Step["wait"]>): fc.Arbitrary<Step> {
  const request = fc.record({ kind: fc.constantFrom(...REQUESTS), picks });
  return fc.record({
    wait: waiting,
    kind,
    picks,
    requests: fc.array(request, { minLength: 4, maxLength: 8 }),
  });
}

function waitFor(seconds: number): fc.Arbitrary<Step["wait"]> {
  return fc.constant({ seconds });
}

export const stories: fc.Arbitrary<Story> = fc.record({
  terms: fc
    .tuple(
      termsFor([0], TREATMENT),
      termsFor([0, 0, 1, 2], [[PURPOSE.HLEGAL]]),
      termsFor([1], TREATMENT),
      termsFor([2, 3, 0], TREATMENT),
      termsFor([0, 1, 2, 3], [[], [PURPOSE.BTG], [PURPOSE.PATRQT, PURPOSE.TREAT]]),
    )
    .map((terms) => [...terms]),
  steps: fc
    .tuple(
      fc.tuple(...opening),
      fc.array(stepOf(fc.constantFrom(...KINDS), wait), { minLength: 15, maxLength: 35, size: "max" }),
    )
    .map(([first, then]) => [...first, ...then]),
});

/** The next time: some seconds on, or at a limit of what stands, a second before it or after. */
export function timeOf({ history, at, terms }: Setting, step: Step): number {
  if ("seconds" in step.wait) return at + step.wait.seconds;
  const limits = limitsIn(history, terms)
    .filter((limit) => limit > at + 1)
    .toSorted((a, b) => a - b);
  const limit = limits[step.wait.limit % Math.max(1, limits.length)] ?? at + HOUR;
  return limit + step.wait.offset;
}

/** Every time at which a verdict may change. */
function limitsIn(history: History, terms: readonly Terms[]): number[] {
  return [
    ...terms.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter]),
    ...all(history, "enrol", "update").flatMap((act) => [act.notAfter, act.at + LIMITS.waitingTime]),
    ...all(history, "register").flatMap((act) => act.guardians?.until ?? []),
    ...all(history, "delegate", "hold").map((act) => act.until),
    ...all(history, "propose", "complete").map((act) => act.at + LIMITS.recoveryDelay),
    ...all(history, "breakGlass").flatMap((act) => [
      act.at + LIMITS.windowLength,
      act.at + LIMITS.justifyWithin,
      (Math.floor(act.at / DAY) + 1) * DAY,
    ]),
  ];
}

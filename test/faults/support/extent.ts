// SPDX-License-Identifier: Apache-2.0
import { SEED } from "../../support/properties.js";
import { seeded, type Random } from "../../support/seeded.js";

/** Points at which an ingest is killed when nobody asks for more. */
export const SAMPLED_POINTS = 24;
/** From so many points on, everything else is tried again and again too. */
const WHOLE_POINTS = 200;
/** How often, then. */
const WHOLE_ROUNDS = 5;

export const POINTS = Number(process.env["CHARTSEAL_FAULT_POINTS"] ?? SAMPLED_POINTS);

/** Rounds of each fault that has no points: their numbers. */
export const ROUNDS: readonly number[] = Array.from(
  { length: POINTS >= WHOLE_POINTS ? WHOLE_ROUNDS : 1 },
  (_, round) => round,
);

/** Two cores. */
export const AT_ONCE = 2;

/** Numbers of its own for each fault, so that one more fault does not move the moments of the others. */
export function randomFor(fault: string, round = 0): Random {
  let seed = SEED + 7_919 * round;
  for (const character of fault) seed = (Math.imul(seed, 31) + character.codePointAt(0)!) | 0;
  return seeded(seed);
}

/** How to see the same again. */
export const AGAIN = `npm run test:faults -- --seed ${SEED} --points ${POINTS}`;

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { ChildOptions, ChildResult } from "../support/child.js";
import type { Hospital } from "../support/hospital.js";
import { below } from "../support/seeded.js";
import { expectRecovery, statesLeft } from "./support/aftermath.js";
import { AGAIN, AT_ONCE, POINTS, randomFor } from "./support/extent.js";
import { Figures } from "./support/figures.js";
import { inLanes } from "./support/lanes.js";
import { BATCH_ITEMS, LOAD, Stage } from "./support/stage.js";

/** The steps of an item's way; see kill-point.ts for what belongs to each. */
const STEPS = ["receive", "seal", "store", "record", "batch", "sign", "send", "confirm", "supersede"];
/** One point in so many is a moment of the clock, which falls where no step was thought of. */
const TIMED_SHARE = 3;
/** One process in so many is killed once more while it recovers. */
const TWICE_SHARE = 4;
/** Among how many points of the recovery. */
const RECOVERY_POINTS = 30;
/** Of so many points at least so many must kill a process: the others come after its end, for no two runs are alike. */
const WHOLE_POINTS = 240;
const LEAST_KILLS = 200;
/** Points of a step that is as often in every run; of more, the share that a run surely passes. */
const FEW = 8;
const SURE_SHARE = 0.8;
/** Milliseconds between blocks. */
const BLOCK_TIME = 100;

/** Where a process is killed: at a point of a step, or at a moment of its running time. */
interface Kill {
  title: string;
  step?: string;
  /** How far in the step's points, or in the running time: 0 to 1. */
  at: number;
  /** Also in the recovery, at the point of this number. */
  again?: number;
}

/** How long a run takes and what points it passes when nobody kills it. */
interface Whole {
  points: string[];
  milliseconds: number;
}

/** What is counted of a process that was killed by its point, or by the clock. */
const killedAt = (step = "by the clock") => `killed: ${step}`;

const kills = Array.from({ length: POINTS }, (_, number) => killOf(number));

function killOf(number: number): Kill {
  const random = randomFor("kill", number);
  const timed = Math.floor(POINTS / TIMED_SHARE);
  const again = number % TWICE_SHARE === TWICE_SHARE - 1 ? { again: 1 + below(random, RECOVERY_POINTS) } : {};
  const twice = number % TWICE_SHARE === TWICE_SHARE - 1 ? ", and again while it recovers" : "";
  if (number < timed) {
    // Spread evenly, so that few moments are near each other.
    const at = (number + random()) / timed;
    return { title: `at ${Math.round(100 * at)} % of its time${twice}`, at, ...again };
  }
  const [position, named] = [number - timed, POINTS - timed];
  const step = STEPS[position % STEPS.length]!;
  const [nth, ofStep] = [Math.floor(position / STEPS.length), Math.ceil(named / STEPS.length)];
  const at = (nth + random()) / ofStep;
  return { title: `at ${Math.round(100 * at)} % of its points of ${step}${twice}`, step, at, ...again };
}

describe("An ingest that is killed", function () {
  this.timeout(300_000);
  const figures = new Figures("kill -9");
  let stage: Stage;
  let miner: NodeJS.Timeout | undefined;
  let outcomes: Promise<void>[] = [];

  before(async function () {
    this.timeout(180_000 + POINTS * 20_000);
    stage = await Stage.start();
    const { chain } = stage.consortium;
    const hospitals: Hospital[] = [];
    for (let number = 0; number <= POINTS; number++) hospitals.push(await stage.hospital(`k${number}`));
    await chain.rpc("evm_setAutomine", [false]);
    miner = setInterval(() => void chain.rpc("evm_mine"), BLOCK_TIME);
    const whole = await runWhole(hospitals[POINTS]!);
    for (const step of STEPS) expect(pointsOf(whole, step), `points of ${step}`).to.be.greaterThan(1);
    outcomes = inLanes(
      AT_ONCE,
      kills.map((kill, number) => async () => await killAndRecover(hospitals[number]!, kill, whole)),
    );
  });
  after(async () => {
    await Promise.allSettled(outcomes);
    clearInterval(miner);
    await stage[Symbol.asyncDispose]();
    figures.report();
  });

  for (const [number, { title }] of kills.entries()) {
    it(`${title} loses nothing and anchors nothing twice`, () => outcomes[number]);
  }

  it("was killed at every step", async () => {
    await Promise.allSettled(outcomes);
    const steps = new Set(kills.flatMap(({ step }) => step ?? []));
    for (const step of steps) expect(figures.times(killedAt(step)), step).to.be.greaterThan(0);
  });

  it("was killed at most of its points, and seldom ended before", async () => {
    await Promise.allSettled(outcomes);
    const killed = [undefined, ...STEPS].reduce((sum, step) => sum + figures.times(killedAt(step)), 0);
    const share = Math.min(1, POINTS / WHOLE_POINTS);
    expect(killed, `of ${POINTS} points`).to.be.at.least(Math.floor(LEAST_KILLS * share));
  });

  async function runWhole(place: Hospital): Promise<Whole> {
    let started = 0;
    const run = await ingest(place, {
      env: { KILL_ANNOUNCE: "1", KILL_READS: "1" },
      onLine: () => (started ||= performance.now()),
    });
    const milliseconds = performance.now() - started;
    expect(run.lines[1], run.output).to.include({
      sealed: LOAD.lines.length,
      anchored: LOAD.lines.length,
      superseded: LOAD.superseded,
    });
    await expectRecovery(stage, place);
    return { points: run.lines.at(-1)!["points"] as string[], milliseconds };
  }

  async function killAndRecover(place: Hospital, kill: Kill, whole: Whole): Promise<void> {
    const run = await ingest(place, kill.step === undefined ? inTime(kill, whole) : atPoint(kill, whole));
    const where = `${kill.title}: ${run.output}\n${AGAIN}`;
    figures.count(run.signal === null ? "ended before its moment" : killedAt(kill.step));
    for (const state of statesLeft(place)) figures.count(`left: ${state}`);
    if (kill.again !== undefined) {
      const env = { KILL_AT: String(kill.again), KILL_READS: "1" };
      const { signal } = await ingest(place, { env });
      if (signal !== null) figures.count("killed: while it recovers");
    }
    await expectRecovery(stage, place).catch((error: unknown) => {
      throw new Error(where, { cause: error });
    });
    figures.count("recovered whole");
  }

  async function ingest(place: Hospital, options: ChildOptions): Promise<ChildResult> {
    const imports = [new URL("../support/kill-point.ts", import.meta.url)];
    const script = new URL("../e2e/ingest-child.ts", import.meta.url);
    return await stage.script(script, [place.config, stage.file, String(BATCH_ITEMS)], {
      ...options,
      imports,
    });
  }
});

function inTime({ at }: Kill, { milliseconds }: Whole): ChildOptions {
  let timer: NodeJS.Timeout | undefined;
  return {
    env: { KILL_ANNOUNCE: "1" },
    // Not awaited by anybody: a process that has ended before is not there to be killed.
    onLine: (kill) => (timer ??= setTimeout(kill, at * milliseconds)),
  };
}

function atPoint({ step = "", at }: Kill, whole: Whole): ChildOptions {
  const points = pointsOf(whole, step);
  // Of many not the last: how many there are differs from run to run.
  const number = 1 + Math.floor(at * (points > FEW ? SURE_SHARE * points : points));
  return { env: { KILL_AT: String(number), KILL_WHAT: `\\(${step}\\)$`, KILL_READS: "1" } };
}

function pointsOf({ points }: Whole, step: string): number {
  return points.filter((point) => point.endsWith(`(${step})`)).length;
}

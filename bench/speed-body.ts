// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { keystream } from "../test/storage/keystream.js";
import { median, tableOf } from "./figures.js";
import { runPeer } from "./peer.js";
import type { BodyOutcome } from "./peers/body-outcome.js";

const MIB = 2 ** 20;

interface BodyFigures {
  mibPerSecond: number;
  cpuMillisecondsPerMib: number;
  /** Not known of other programs. */
  peakRssMiB?: number;
}

export interface BodySpeed {
  mib: number;
  /** `cp` and `sha256sum`. */
  floor: BodyFigures;
  /** The same, with the copy made durable as chartseal's is. */
  durableFloor: BodyFigures;
  age: BodyFigures;
  chartseal: BodyFigures;
  /** Of the floor's speed. */
  ofFloor: number;
  ofDurableFloor: number;
  timesAge: number;
}

/** One large body, from a file to sealed, stored and in the journal. */
export async function measureBody(mib: number, rounds: number): Promise<BodySpeed> {
  const folder = mkdtempSync(join(tmpdir(), "chartseal-bench-"));
  const runs = { floor: [], durableFloor: [], age: [], chartseal: [] } as Record<Contender, BodyOutcome[]>;
  try {
    const file = join(folder, "body.bin");
    await pipeline(keystream(mib * MIB), createWriteStream(file));
    for (let round = 0; round < rounds; round++) {
      for (const [contender, run] of Object.entries(CONTENDERS) as [Contender, Run][]) {
        const place = join(folder, contender);
        mkdirSync(place);
        execFileSync("sync"); // what the one before wrote is not this one's to wait for
        runs[contender].push(await run(file, place));
        rmSync(place, { recursive: true });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const of = (contender: Contender) => figuresOf(runs[contender], mib);
  const [floor, durableFloor, age, chartseal] = [of("floor"), of("durableFloor"), of("age"), of("chartseal")];
  const times = (other: BodyFigures) => chartseal.mibPerSecond / other.mibPerSecond;
  const ratios = { ofFloor: times(floor), ofDurableFloor: times(durableFloor), timesAge: times(age) };
  return { mib, floor, durableFloor, age, chartseal, ...ratios };
}

type Contender = "floor" | "durableFloor" | "age" | "chartseal";
type Run = (file: string, place: string) => BodyOutcome | Promise<BodyOutcome>;

const CONTENDERS: Record<Contender, Run> = {
  floor: (file, place) => shell('cp "$0" "$1" && sha256sum "$0"', file, join(place, "copy")),
  durableFloor: (file, place) =>
    shell('cp "$0" "$1" && sync "$1" && sha256sum "$0"', file, join(place, "copy")),
  age: (file, place) => runPeer<BodyOutcome>("body-age", [file, join(place, "body.age")]),
  chartseal: (file, place) => runPeer<BodyOutcome>("body-chartseal", [file, place]),
};

function shell(commands: string, file: string, copy: string): BodyOutcome {
  const started = performance.now();
  const said = execFileSync("sh", ["-c", `${commands} && times`, file, copy], { encoding: "utf8" });
  const seconds = (performance.now() - started) / 1_000;
  // The last line: user and system time of what the shell started, as 0m1.50s.
  const used = said
    .trimEnd()
    .split("\n")
    .at(-1)!
    .matchAll(/(\d+)m([\d.]+)s/g);
  const cpuSeconds = [...used].reduce(
    (sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest),
    0,
  );
  return { seconds, cpuSeconds };
}

function figuresOf(outcomes: readonly BodyOutcome[], mib: number): BodyFigures {
  const of = (figure: (outcome: BodyOutcome) => number) => median(outcomes.map(figure));
  const peak = of(({ maxRssMiB }) => maxRssMiB ?? Number.NaN);
  return {
    mibPerSecond: of(({ seconds }) => mib / seconds),
    cpuMillisecondsPerMib: of(({ cpuSeconds }) => (cpuSeconds * 1_000) / mib),
    ...(Number.isNaN(peak) ? {} : { peakRssMiB: peak }),
  };
}

export function bodyTable({ mib, floor, durableFloor, age, chartseal, ...ratios }: BodySpeed): string {
  const row = (name: string, { mibPerSecond, cpuMillisecondsPerMib, peakRssMiB }: BodyFigures) => [
    name,
    mibPerSecond.toFixed(0),
    cpuMillisecondsPerMib.toFixed(2),
    peakRssMiB?.toFixed(0) ?? "",
  ];
  const table = tableOf(`One body of ${mib.toLocaleString("en")} MiB, from a file to sealed and stored:`, [
    ["", "MiB/s", "CPU ms/MiB", "peak RSS MiB"],
    row("floor: cp, sha256sum", floor),
    row("the same, made durable", durableFloor),
    row("age (age-encryption)", age),
    row("chartseal", chartseal),
  ]);
  const [ofFloor, ofDurable] = [ratios.ofFloor, ratios.ofDurableFloor].map((ratio) =>
    (100 * ratio).toFixed(0),
  );
  return `${table}${ofFloor} % of the floor, ${ofDurable} % of the durable one, ${ratios.timesAge.toFixed(1)} times age\n`;
}

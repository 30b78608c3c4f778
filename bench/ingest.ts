// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runChild } from "../test/support/child.js";
import { Consortium, enrol, openHospital } from "../test/support/hospital.js";
import { writeRecords } from "./ingest-records.js";
import type { Outcome } from "./peers/ingest-outcome.js";

const HELP = `Ingest side by side with the loop that one writes first, on one chain and one disk.

npm run bench:ingest -- [--records N] [--rounds N] [--automine] [--json]

  --records N  records of chartseal's own runs, default 20,000; the loop gets 256
  --rounds N   default 3; medians are shown
  --automine   only a block for each transaction, as no consortium has
  --json       one JSON array instead of the tables
  --help       this text

Example: npm run -s bench:ingest -- --json > ingest.json
Exit code 0 done, 1 less than 20 times the loop's rate with a block every second, 2 wrong usage.
`;

/** What ours must reach of the naive loop's rate, with blocks every second. */
const LEAST_RATIO = 20;
const PATIENTS = 50;
/** The naive loop needs no more to show its rate. */
const NAIVE_RECORDS = 256;
/** As the command itself runs: docs/decisions/0023. */
const NODE_OPTIONS = "--max-semi-space-size=4";

interface Options {
  records: number;
  rounds: number;
}
interface Figures {
  recordsPerSecond: number;
  mibPerSecond: number;
  cpuMicrosecondsPerRecord: number;
  peakRssMiB: number;
  gasPerRecord: number;
}
type Blocks = "every second" | "for each transaction";
interface Comparison {
  blocks: Blocks;
  chartseal: Figures;
  naive: Figures;
  ratio: number;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const values = argumentsGiven();
  const options = { records: Number(values?.records), rounds: Number(values?.rounds) };
  if (values === undefined || !(options.records >= 1) || !(options.rounds >= 1)) {
    process.stderr.write(HELP);
    return 2;
  }
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const comparisons: Comparison[] = [];
  if (!values.automine) comparisons.push(await compare("every second", options));
  comparisons.push(await compare("for each transaction", options));
  process.stdout.write(values.json ? `${JSON.stringify(comparisons)}\n` : comparisons.map(table).join(""));
  const [first] = comparisons;
  if (first?.blocks !== "every second" || first.ratio >= LEAST_RATIO) return 0;
  process.stderr.write(`chartseal is below ${LEAST_RATIO} times the naive loop\n`);
  return 1;
}

function argumentsGiven() {
  try {
    const { values } = parseArgs({
      options: {
        records: { type: "string", default: "20000" },
        rounds: { type: "string", default: "3" },
        json: { type: "boolean", default: false },
        automine: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch {
    return undefined;
  }
}

async function compare(blocks: Blocks, { records, rounds }: Options): Promise<Comparison> {
  const ours: Outcome[] = [];
  const naive: Outcome[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await contend(blocks, "ingest-chartseal", records));
    naive.push(await contend(blocks, "ingest-naive", NAIVE_RECORDS));
  }
  const chartseal = figuresOf(ours);
  const other = figuresOf(naive);
  return { blocks, chartseal, naive: other, ratio: chartseal.recordsPerSecond / other.recordsPerSecond };
}

/** One run in a process of its own, on a new chain, by a new member with a journal, vault and store of its own. */
async function contend(blocks: Blocks, peer: string, records: number): Promise<Outcome> {
  await using consortium = await Consortium.start();
  const place = await consortium.hospital(peer);
  const patients = Array.from({ length: PATIENTS }, (_, patient) => `p${patient}`);
  await using hospital = await openHospital(place);
  await enrol(hospital, ...patients);
  const file = join(consortium.folder, "records.ndjson");
  writeRecords(file, records, patients);
  if (blocks === "every second") await consortium.chain.rpc("evm_setIntervalMining", [1]);
  const script = new URL(`peers/${peer}.ts`, import.meta.url);
  const run = await runChild(script, [place.config, file], { env: { NODE_OPTIONS } });
  const [outcome] = run.lines as unknown as Outcome[];
  if (outcome?.records !== records) throw new Error(`${peer} failed: ${run.output}`);
  return outcome;
}

function figuresOf(outcomes: readonly Outcome[]): Figures {
  const of = (figure: (outcome: Outcome) => number) => median(outcomes.map(figure));
  return {
    recordsPerSecond: of(({ records, seconds }) => records / seconds),
    mibPerSecond: of(({ bytes, seconds }) => bytes / 2 ** 20 / seconds),
    cpuMicrosecondsPerRecord: of(({ cpuSeconds, records }) => (cpuSeconds * 1e6) / records),
    peakRssMiB: of(({ maxRssMiB }) => maxRssMiB),
    gasPerRecord: of(({ gas, records }) => gas / records),
  };
}

function median(figures: readonly number[]): number {
  const ordered = figures.toSorted((a, b) => a - b);
  const middle = ordered.length >> 1;
  return ordered.length % 2 === 1 ? ordered[middle]! : (ordered[middle - 1]! + ordered[middle]!) / 2;
}

function table({ blocks, chartseal, naive, ratio }: Comparison): string {
  const columns = ["records/s", "MiB/s", "CPU us/record", "peak RSS MiB", "gas/record"];
  const rows = Object.entries({ chartseal, "naive loop": naive }).map(([contender, figures]) => {
    const { recordsPerSecond, mibPerSecond, cpuMicrosecondsPerRecord, peakRssMiB, gasPerRecord } = figures;
    const whole = [cpuMicrosecondsPerRecord, peakRssMiB, gasPerRecord].map((figure) => figure.toFixed(0));
    return [contender, recordsPerSecond.toFixed(0), mibPerSecond.toFixed(2), ...whole];
  });
  const lines = [["", ...columns], ...rows].map(([contender, ...figures]) => {
    return contender!.padEnd(12) + figures.map((figure) => figure.padStart(15)).join("");
  });
  return `A block ${blocks}, records of 1 to 4 KiB:\n${lines.join("\n")}\n${ratio.toFixed(1)} times the naive loop\n\n`;
}

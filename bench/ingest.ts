// SPDX-License-Identifier: Apache-2.0
// Ingest side by side with the naive loop, on one chain and one disk: npm run bench:ingest -- [--records N] [--json]
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runChild } from "../test/support/child.js";
import { Consortium, enrol, openHospital } from "../test/support/hospital.js";
import { writeRecords } from "./ingest-records.js";
import type { Outcome } from "./peers/ingest-outcome.js";

/** What ours must reach of the naive loop's rate, with blocks every second. */
const LEAST_RATIO = 20;
const PATIENTS = 50;
/** The naive loop needs no more to show its rate. */
const NAIVE_RECORDS = 256;

const { values } = parseArgs({
  options: {
    records: { type: "string", default: "20000" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    /** Only with a block for each transaction, as no consortium has. */
    automine: { type: "boolean", default: false },
  },
});

interface Figures {
  recordsPerSecond: number;
  mibPerSecond: number;
  peakRssMiB: number;
  gasPerRecord: number;
}
interface Comparison {
  blocks: "every second" | "for each transaction";
  chartseal: Figures;
  naive: Figures;
  ratio: number;
}

const comparisons: Comparison[] = [];
if (!values.automine) comparisons.push(await compare("every second"));
comparisons.push(await compare("for each transaction"));
if (values.json) console.log(JSON.stringify(comparisons));
else for (const comparison of comparisons) print(comparison);
if (comparisons.some(({ blocks, ratio }) => blocks === "every second" && ratio < LEAST_RATIO)) {
  console.error(`chartseal is below ${LEAST_RATIO} times the naive loop`);
  process.exitCode = 1;
}

async function compare(blocks: Comparison["blocks"]): Promise<Comparison> {
  await using consortium = await Consortium.start();
  const ours: Outcome[] = [];
  const naive: Outcome[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    ours.push(await contend(consortium, blocks, "ingest-chartseal", `ours${round}`, Number(values.records)));
    naive.push(await contend(consortium, blocks, "ingest-naive", `naive${round}`, NAIVE_RECORDS));
  }
  const chartseal = figuresOf(ours);
  const other = figuresOf(naive);
  return { blocks, chartseal, naive: other, ratio: chartseal.recordsPerSecond / other.recordsPerSecond };
}

/** One run in a process of its own, by a new member with a journal and vault of its own. */
async function contend(
  consortium: Consortium,
  blocks: Comparison["blocks"],
  peer: string,
  name: string,
  records: number,
): Promise<Outcome> {
  const place = await consortium.hospital(name);
  const patients = Array.from({ length: PATIENTS }, (_, patient) => `p${patient}`);
  await using hospital = await openHospital(place);
  await enrol(hospital, ...patients);
  const file = join(consortium.folder, `${name}.ndjson`);
  writeRecords(file, records, patients);
  if (blocks === "every second") await consortium.chain.rpc("evm_setIntervalMining", [1]);
  const run = await runChild(new URL(`peers/${peer}.ts`, import.meta.url), [place.config, file]);
  await consortium.chain.rpc("evm_setIntervalMining", [0]);
  await consortium.chain.rpc("evm_setAutomine", [true]);
  const [outcome] = run.lines as unknown as Outcome[];
  if (outcome?.records !== records) throw new Error(`${peer} failed: ${run.output}`);
  return outcome;
}

function figuresOf(outcomes: readonly Outcome[]): Figures {
  const of = (figure: (outcome: Outcome) => number) => median(outcomes.map(figure));
  return {
    recordsPerSecond: of(({ records, seconds }) => records / seconds),
    mibPerSecond: of(({ bytes, seconds }) => bytes / 2 ** 20 / seconds),
    peakRssMiB: of(({ maxRssMiB }) => maxRssMiB),
    gasPerRecord: of(({ gas, records }) => gas / records),
  };
}

function median(figures: readonly number[]): number {
  const ordered = figures.toSorted((a, b) => a - b);
  const middle = ordered.length >> 1;
  return ordered.length % 2 === 1 ? ordered[middle]! : (ordered[middle - 1]! + ordered[middle]!) / 2;
}

function print({ blocks, chartseal, naive, ratio }: Comparison): void {
  const rows = { chartseal, "naive loop": naive };
  const table = Object.entries(rows).map(([contender, figures]) => ({
    contender,
    "records/s": Math.round(figures.recordsPerSecond),
    "MiB/s": Number(figures.mibPerSecond.toFixed(2)),
    "peak RSS, MiB": Math.round(figures.peakRssMiB),
    "gas a record": Math.round(figures.gasPerRecord),
  }));
  console.log(`\nA block ${blocks}; medians of ${values.rounds} rounds, ${values.records} records of 1 to 4 KiB:`);
  console.table(table);
  console.log(`${ratio.toFixed(1)} times the naive loop`);
}

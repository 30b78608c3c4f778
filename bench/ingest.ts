// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import { tableOf } from "./figures.js";
import {
  INGEST_COLUMNS,
  NAIVE_RECORDS,
  contend,
  figuresOf,
  ingestRow,
  type Blocks,
  type IngestFigures,
} from "./ingest-contest.js";
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

interface Options {
  records: number;
  rounds: number;
}
interface Comparison {
  blocks: Blocks;
  chartseal: IngestFigures;
  naive: IngestFigures;
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

function table({ blocks, chartseal, naive, ratio }: Comparison): string {
  const rows = [["", ...INGEST_COLUMNS], ingestRow("chartseal", chartseal), ingestRow("naive loop", naive)];
  const text = tableOf(`A block ${blocks}, records of 1 to 4 KiB:`, rows);
  return `${text}${ratio.toFixed(1)} times the naive loop\n\n`;
}

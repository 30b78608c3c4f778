// SPDX-License-Identifier: Apache-2.0
import { median, tableOf } from "./figures.js";
import { INGEST_COLUMNS, NAIVE_RECORDS, contend, copyLines, figuresOf, ingestRow } from "./ingest-contest.js";
import type { IngestFigures } from "./ingest-contest.js";
import type { Mark, Outcome } from "./peers/ingest-outcome.js";

/** Records after which a run is warm: compiled code, full caches. */
const WARM_RECORDS = 10_000;
/** Records over which a cost is taken. */
const SPAN_RECORDS = 20_000;

/** Processor time that a record takes early and late in a run, in microseconds. */
interface Growth {
  early: number;
  late: number;
  percent: number;
}

export interface IngestSpeed {
  records: number;
  floor: IngestFigures;
  naive: IngestFigures;
  chartseal: IngestFigures;
  /** Of the floor's records a second. */
  ofFloor: number;
  timesNaive: number;
  growth: Growth;
}

/** NDJSON to anchored, with a block every second. */
export async function measureIngest(records: number, rounds: number): Promise<IngestSpeed> {
  const floors: Outcome[] = [];
  const ours: Outcome[] = [];
  const naive: Outcome[] = [];
  for (let round = 0; round < rounds; round++) {
    floors.push(await copyLines(records));
    ours.push(await contend("every second", "ingest-chartseal", records));
    naive.push(await contend("every second", "ingest-naive", Math.min(records, NAIVE_RECORDS)));
  }
  const [floor, chartseal, other] = [figuresOf(floors), figuresOf(ours), figuresOf(naive)];
  return {
    records,
    floor,
    naive: other,
    chartseal,
    ofFloor: chartseal.recordsPerSecond / floor.recordsPerSecond,
    timesNaive: chartseal.recordsPerSecond / other.recordsPerSecond,
    growth: growthOf(ours),
  };
}

function growthOf(runs: readonly Outcome[]): Growth {
  const early = median(
    runs.map(({ marks, records }) => costFrom(marks!, Math.min(WARM_RECORDS, records / 10), records)),
  );
  const late = median(runs.map(({ marks, records }) => costFrom(marks!, records - spanOf(records), records)));
  return { early, late, percent: (100 * (late - early)) / early };
}

function spanOf(records: number): number {
  return Math.min(SPAN_RECORDS, records / 5);
}

/** Microseconds of processor time a record, over the span that begins after `from` records. */
function costFrom(marks: readonly Mark[], from: number, records: number): number {
  const first = marks.find((mark) => mark.records >= from)!;
  const last = marks.findLast((mark) => mark.records <= from + spanOf(records))!;
  return ((last.cpuSeconds - first.cpuSeconds) * 1e6) / (last.records - first.records);
}

export function ingestTable({
  records,
  floor,
  naive,
  chartseal,
  ofFloor,
  timesNaive,
  growth,
}: IngestSpeed): string {
  const title = `NDJSON to anchored, ${records.toLocaleString("en")} records of 1 to 4 KiB, a block every second:`;
  const table = tableOf(title, [
    ["", ...INGEST_COLUMNS],
    ingestRow("floor: copy, SHA-256, group fsync", floor),
    ingestRow("naive loop", naive),
    ingestRow("chartseal", chartseal),
  ]);
  const { early, late, percent } = growth;
  const cost = `${early.toFixed(0)} us of processor time a record early, ${late.toFixed(0)} late: ${percent.toFixed(1)} %`;
  return `${table}${(100 * ofFloor).toFixed(0)} % of the floor, ${timesNaive.toFixed(1)} times the naive loop; ${cost}\n`;
}

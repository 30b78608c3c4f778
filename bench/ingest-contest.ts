// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPeer } from "./peer.js";
import { Consortium, enrol, openHospital, type Hospital } from "../test/support/hospital.js";
import { median } from "./figures.js";
import { writeRecords } from "./ingest-records.js";
import type { Outcome } from "./peers/ingest-outcome.js";

const PATIENTS = Array.from({ length: 50 }, (_, patient) => `p${patient}`);
/** The naive loop needs no more to show its rate. */
export const NAIVE_RECORDS = 256;

export type Blocks = "every second" | "for each transaction";

export interface IngestFigures {
  recordsPerSecond: number;
  mibPerSecond: number;
  cpuMicrosecondsPerRecord: number;
  peakRssMiB: number;
  gasPerRecord: number;
}

/** One ingest in a process of its own, on a new chain, by a new member with a journal, vault and store of its own. */
export async function contend(
  blocks: Blocks,
  peer: "ingest-chartseal" | "ingest-naive",
  records: number,
): Promise<Outcome> {
  await using consortium = await Consortium.start();
  const place = await consortium.hospital(peer);
  return await takeIn(consortium, place, blocks, peer, records);
}

/** As {@link contend}, by a member that is there already. */
export async function takeIn(
  consortium: Consortium,
  place: Hospital,
  blocks: Blocks,
  peer: "ingest-chartseal" | "ingest-naive",
  records: number,
): Promise<Outcome> {
  await using hospital = await openHospital(place);
  await enrol(hospital, ...PATIENTS);
  const file = join(consortium.folder, "records.ndjson");
  writeRecords(file, records, PATIENTS);
  if (blocks === "every second") await consortium.chain.rpc("evm_setIntervalMining", [1]);
  const outcome = await runPeer<Outcome>(peer, [place.config, file]);
  if (outcome.records !== records)
    throw new Error(`${peer} anchored ${outcome.records} of ${records} records`);
  return outcome;
}

/** The least that an intake can do: copies the lines, with their SHA-256, in durable groups. */
export async function copyLines(records: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "chartseal-bench-"));
  try {
    const file = join(folder, "records.ndjson");
    writeRecords(file, records, PATIENTS);
    return await runPeer<Outcome>("ingest-copy", [file, join(folder, "copy")]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function figuresOf(outcomes: readonly Outcome[]): IngestFigures {
  const of = (figure: (outcome: Outcome) => number) => median(outcomes.map(figure));
  return {
    recordsPerSecond: of(({ records, seconds }) => records / seconds),
    mibPerSecond: of(({ bytes, seconds }) => bytes / 2 ** 20 / seconds),
    cpuMicrosecondsPerRecord: of(({ cpuSeconds, records }) => (cpuSeconds * 1e6) / records),
    peakRssMiB: of(({ maxRssMiB }) => maxRssMiB),
    gasPerRecord: of(({ gas, records }) => gas / records),
  };
}

export const INGEST_COLUMNS = ["records/s", "MiB/s", "CPU us/record", "peak RSS MiB", "gas/record"];

export function ingestRow(contender: string, figures: IngestFigures): string[] {
  const { recordsPerSecond, mibPerSecond, cpuMicrosecondsPerRecord, peakRssMiB, gasPerRecord } = figures;
  const whole = [cpuMicrosecondsPerRecord, peakRssMiB, gasPerRecord].map((figure) => figure.toFixed(0));
  return [contender, recordsPerSecond.toFixed(0), mibPerSecond.toFixed(2), ...whole];
}

// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chartseal } from "../src/chartseal.js";
import { Consortium, openHospital } from "../test/support/hospital.js";
import { observations } from "../test/support/observations.js";
import { PatientDevice, grant, takeIn as takeInLines } from "../test/support/sharing-acts.js";
import { tableOf, type Spread } from "./figures.js";
import { takeIn } from "./ingest-contest.js";
import { runPeer } from "./peer.js";
import type { LogOutcome } from "./peers/open-log.js";
import type { ReaderOutcome } from "./peers/open-reader.js";

/** Records of the patient whose chart is read, past all others. */
const CHART_RECORDS = 100;
/** Of these, how many are asked for at most, one by one. */
const MOST_REQUESTS = 40;

export type OpenSpeed = LogOutcome & ReaderOutcome;

/** Opens, verifies and reads a log of `records` entries, each of them ingested before. A block for each transaction. */
export async function measureOpen(records: number): Promise<OpenSpeed> {
  await using consortium = await Consortium.start();
  const [custodian, reader] = [await consortium.hospital("custodian"), await consortium.hospital("reader")];
  await takeIn(consortium, custodian, "for each transaction", "ingest-chartseal", records);
  await using hospital = await openHospital(custodian);
  const ticketFile = join(consortium.folder, "ticket.json");
  writeFileSync(ticketFile, JSON.stringify(await chartFor(hospital, reader.memberId)));
  const log = await runPeer<LogOutcome>("open-log", [custodian.config]);
  const stop = new AbortController();
  const agent = hospital.runReleaseAgent({ signal: stop.signal });
  try {
    const requests = String(Math.min(MOST_REQUESTS, Math.ceil(records / 100)));
    const read = await runPeer<ReaderOutcome>("open-reader", [reader.config, ticketFile, requests]);
    return { ...log, ...read };
  } finally {
    stop.abort();
    await agent;
  }
}

async function chartFor(hospital: Chartseal, grantee: number) {
  const device = new PatientDevice();
  const value = "chart";
  const identifiers = [{ system: "fhir:Patient", value }];
  const patient = await hospital.patients.enrol({ identifiers, signer: device });
  await takeInLines(hospital, observations(value, CHART_RECORDS));
  return await grant(hospital, patient, device, { grantee });
}

export function openTable(speed: OpenSpeed): string {
  const { records, open, verifySeconds, maxRssMiB, makeReceipt, checkReceipt, list, requestToPlaintext } =
    speed;
  const row = (name: string, { p50, p95 }: Spread) => [name, p50.toFixed(2), p95.toFixed(2)];
  const table = tableOf(
    `A log of ${records.toLocaleString("en")} anchored records, a block for each transaction:`,
    [
      ["", "p50 ms", "p95 ms"],
      row("receipt made from the journal", makeReceipt),
      row("receipt and body checked offline", checkReceipt),
      row("request to plaintext, at another hospital", requestToPlaintext),
    ],
  );
  const rate = (records / verifySeconds).toFixed(0);
  const verified = `verified whole, every body read, in ${verifySeconds.toFixed(1)} s: ${rate} records/s`;
  return `${table}opened in ${open.toFixed(0)} ms; ${verified}, peak RSS ${maxRssMiB.toFixed(0)} MiB; a chart of ${CHART_RECORDS} listed in ${list.toFixed(0)} ms\n`;
}

// SPDX-License-Identifier: Apache-2.0
// Another hospital reads records, one logged access each: node open-reader.ts CHARTSEAL.JSON TICKET.JSON COUNT
import { readFileSync } from "node:fs";
import type { GrantTicket } from "../../src/consent/index.js";
import { openHospital } from "../../test/support/hospital.js";
import { spreadOf, type Spread } from "../figures.js";

/** Milliseconds. */
export interface ReaderOutcome {
  /** From the ticket to a chart that is checked against the chain. */
  list: number;
  /** From the request for one record to its plaintext. */
  requestToPlaintext: Spread;
}

const TREAT = { purpose: "TREAT" } as const;
const [config = "", ticketFile = "", count = ""] = process.argv.slice(2);
await using hospital = await openHospital({ config });
const ticket = JSON.parse(readFileSync(ticketFile, "utf8")) as GrantTicket;
const started = performance.now();
const chart = await hospital.access.list(ticket, TREAT);
const list = performance.now() - started;
const times: number[] = [];
for (const { leaf } of chart.entries.slice(0, Number(count))) {
  const from = performance.now();
  const opened = await hospital.access.request(chart.filter({ indices: [leaf.index] }), TREAT);
  for await (const { body } of opened.open()) for await (const _ of body);
  times.push(performance.now() - from);
}
const outcome: ReaderOutcome = { list, requestToPlaintext: spreadOf(times) };
process.stdout.write(`${JSON.stringify(outcome)}\n`);

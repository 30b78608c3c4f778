// SPDX-License-Identifier: Apache-2.0
// One hospital in a process of its own, told what to do by lines of JSON; it answers each with one line.
import { createInterface } from "node:readline";
import type { GrantTicket } from "../../src/consent/index.js";
import { ChartsealError } from "../../src/errors.js";
import { bundleSource } from "../../src/ingest/index.js";
import { openHospital } from "../support/hospital.js";
import { PatientDevice, grant, revoke, type SharedPatient } from "../support/sharing-acts.js";

const hospital = await openHospital({ config: process.argv[2]! });
const stop = new AbortController();
const TREAT = { purpose: "TREAT" } as const;
let agent: Promise<void> | undefined;
let shared: SharedPatient | undefined;
let chart: Awaited<ReturnType<typeof hospital.access.list>> | undefined;

const commands: Record<string, (argument: never) => Promise<unknown>> = {
  async takeIn({ bundle, system, value }: { bundle: string; system: string; value: string }) {
    const device = new PatientDevice();
    const patient = await hospital.patients.enrol({ identifiers: [{ system, value }], signer: device });
    await hospital.patients.administrative();
    const { anchored, waiting, dead } = await hospital.ingest(bundleSource(bundle, { split: true }));
    shared = { patient, device, ticket: undefined as unknown as GrantTicket };
    return { anchored, waiting, dead };
  },
  async grant({ grantee }: { grantee: number }) {
    shared!.ticket = await grant(hospital, shared!.patient, shared!.device, { grantee });
    return shared!.ticket;
  },
  async revoke() {
    await revoke(hospital, shared!);
  },
  async serve() {
    agent = hospital.runReleaseAgent({ signal: stop.signal });
  },
  async list(ticket: GrantTicket) {
    chart = await hospital.access.list(ticket, TREAT);
    return { entries: chart.entries.length, gaps: chart.gaps.length };
  },
  async open({ type, most }: { type: string; most: number }) {
    const indices = chart!
      .filter({ type })
      .entries.slice(0, most)
      .map(({ leaf }) => leaf.index);
    const opened = await hospital.access.request(chart!.filter({ indices }), TREAT);
    const records: string[] = [];
    for await (const { body } of opened.open()) {
      records.push(Buffer.concat(await Array.fromAsync(body)).toString("utf8"));
    }
    return records;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = JSON.parse(line) as [string, never];
  try {
    process.stdout.write(`${JSON.stringify({ value: (await commands[command]!(argument)) ?? null })}\n`);
  } catch (error) {
    const known = error instanceof ChartsealError ? error.toJSON() : { message: String(error) };
    process.stdout.write(`${JSON.stringify({ error: known })}\n`);
  }
}
stop.abort();
await agent;
await hospital[Symbol.asyncDispose]();

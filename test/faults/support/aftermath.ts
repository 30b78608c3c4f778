// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import type { Chartseal } from "../../../src/chartseal.js";
import { ndjsonSource } from "../../../src/ingest/index.js";
import { chartseal } from "../../cli/command-line.js";
import { openHospital, type Hospital } from "../../support/hospital.js";
import { checkLog, sorted } from "../../support/log-check.js";
import { BATCH_ITEMS, LOAD, type Load, type Stage } from "./stage.js";

const SUPERSEDED = 1n;
/**
 * What doctor may say of a stage: hospitals of tests keep no admin's key, the machine's disk may be nearly full, and a
 * chain of many blocks a second runs ahead of the clock.
 */
export const OF_THE_STAGE: readonly string[] = ["admin", "disk", "clock"];

/** The fault is over: one more run must leave everything anchored once, readable and in order. */
export async function expectRecovery(
  stage: Stage,
  place: Hospital,
  load = LOAD,
  file = stage.file,
): Promise<void> {
  {
    await using hospital = await openHospital(place);
    const run = await hospital.ingest(ndjsonSource(file), { batchItems: BATCH_ITEMS });
    expect(run.failure, "failure of the run after the fault").to.equal(undefined);
    expect(run).to.include({ waiting: 0, dead: 0 });
    await expectWhole(hospital, load);
  }
  await expectHealthy(stage, place);
}

/** Every line is anchored once, its body opens with the vault's key to its exact bytes, and amended ones are marked. */
async function expectWhole(hospital: Chartseal, { lines, superseded }: Load = LOAD): Promise<void> {
  const bodies = await checkLog(hospital);
  expect(sorted(bodies)).to.deep.equal(sorted(lines.map((line) => Buffer.from(line))));
  const { chain, memberId } = hospital;
  const statuses = await Promise.all(
    lines.map(async (_, position) => await chain.recordsInBulk.statusOf(memberId, position + 1)),
  );
  const marked = statuses.filter((status) => status === SUPERSEDED);
  expect(marked, "entries marked as superseded").to.have.length(superseded);
}

/** `chartseal doctor` finds nothing to do. */
async function expectHealthy(stage: Stage, place: Hospital): Promise<void> {
  expect((await complaints(stage, place)).filter(({ check }) => !OF_THE_STAGE.includes(check))).to.deep.equal(
    [],
  );
}

/** What `chartseal doctor` warns of. */
export async function complaints(stage: Stage, { folder, config }: Hospital) {
  mkdirSync(join(folder, "..", "exchange"), { recursive: true });
  const unlock = ["--passphrase-file", stage.passphraseFile];
  const outcome = await chartseal(["doctor", "--json", "--config", config, ...unlock]);
  const { findings } = outcome.json as { findings: { check: string; state: string; detail: string }[] };
  expect(findings.map(({ check }) => check)).to.include.members(["log head", "log roots", "store"]);
  return findings.filter(({ state }) => state !== "ok");
}

/** In which states a killed process left its items; read without the vault, as a thief would. */
export function statesLeft({ folder }: Pick<Hospital, "folder">): string[] {
  const path = join(folder, "journal.db");
  if (!existsSync(path)) return ["nothing taken yet"];
  using database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'items'").get() === undefined)
    return ["nothing taken yet"];
  const count = (where: string) =>
    Number(database.prepare(`SELECT count(*) AS n FROM items WHERE ${where}`).get()!["n"]);
  const left = Object.entries(LEFT).filter(([, where]) => count(where) > 0);
  return left.length === 0 ? ["nothing taken yet"] : left.map(([state]) => state);
}

/** What is left to do for an item, by the journal. */
const LEFT: Readonly<Record<string, string>> = {
  "items sealed": "state = 2",
  "items in a signed batch": "state = 3",
  "items in a sent batch": "state = 4",
  "items anchored": "state = 5",
  "amendments not marked":
    "state = 5 AND superseded_by IS NULL AND id IN (SELECT amends FROM items WHERE state = 5 AND amends IS NOT NULL)",
};

// SPDX-License-Identifier: Apache-2.0
// Runs Slither over the contracts. Every finding is explained in docs/static-analysis.md, and what is
// explained there is still found.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { report } from "./our-files.js";

const EXPLAINED = "docs/static-analysis.md";
const FOLDER = "cache/slither";

interface Finding {
  check: string;
  description: string;
  elements: { name: string; type_specific_fields?: { parent?: { name: string } } }[];
}

function build(): void {
  const options = ["--config", ".ci/slither/hardhat.config.ts", "build", "--no-tests"];
  const { status, stdout, stderr } = spawnSync("hardhat", options, { encoding: "utf8" });
  if (status !== 0) throw new Error(`hardhat ${options.join(" ")}: ${stdout}${stderr}`);
}

function findings(): Finding[] {
  const output = `${FOLDER}/findings.json`;
  rmSync(output, { force: true });
  const options = ["--hardhat-ignore-compile", "--hardhat-artifacts-directory", `${FOLDER}/artifacts`];
  const run = spawnSync(
    join(".venv", "bin", "slither"),
    [".", ...options, "--filter-paths", "node_modules", "--json", output],
    {
      encoding: "utf8",
    },
  );
  if (!existsSync(output)) throw new Error(`slither: ${run.error?.message ?? run.stderr}`);
  const { success, results } = JSON.parse(readFileSync(output, "utf8")) as {
    success: boolean;
    results: { detectors?: Finding[] };
  };
  if (!success) throw new Error(`slither: ${run.stderr}`);
  console.log(run.stderr.trim().split("\n").at(-1));
  return results.detectors ?? [];
}

/** The first two cells of each row of the page's tables: a detector, and where, or a star for everywhere. */
function explained(): string[] {
  const rows = readFileSync(EXPLAINED, "utf8").matchAll(
    /^\| `(?<check>[\w-]+)`\s*\| (?:`(?<where>[\w.]+)`|everywhere)/gm,
  );
  return [...rows].map(({ groups }) => keyOf(groups!["check"]!, groups!["where"] ?? "*"));
}

function keyOf(check: string, where: string): string {
  return `${check} ${where}`;
}

build();
const known = new Set(explained());
const found = findings();
const used = new Set<string>();
const unexplained = found.filter(({ check, elements }) => {
  const [first] = elements;
  const where = `${first?.type_specific_fields?.parent?.name}.${first?.name}`;
  const key = [keyOf(check, "*"), keyOf(check, where)].find((one) => known.has(one));
  if (key !== undefined) used.add(key);
  return key === undefined;
});
report("static analysis", found.length, [
  ...unexplained.map(({ check, description }) => `${check}: ${description.trim()}`),
  ...[...known]
    .filter((key) => !used.has(key))
    .map((key) => `${EXPLAINED} explains ${key}, which is not found`),
]);

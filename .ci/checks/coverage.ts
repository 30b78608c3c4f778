// SPDX-License-Identifier: Apache-2.0
// Reads what `hardhat test --coverage` wrote and refuses a contract whose lines the tests do not reach.
import { readFileSync } from "node:fs";
import { ourFiles, report } from "./our-files.js";

const LEAST_PERCENT = 95; // of a contract's lines; what remains is for guards that no caller can reach

interface Lines {
  found: number;
  hit: number;
}

const covered = linesByFile(readFileSync("coverage/lcov.info", "utf8"));
const findings: string[] = [];
for (const [file, { found, hit }] of covered) {
  const percent = found === 0 ? 100 : (100 * hit) / found;
  console.log(`${percent.toFixed(1).padStart(6)} %  ${String(hit).padStart(4)} of ${found} lines  ${file}`);
  if (percent < LEAST_PERCENT) findings.push(`${file}: less than ${LEAST_PERCENT} % of its lines are tested`);
}
// A library of constants has no line that runs, an interface neither: only contracts must be in the report.
const contracts = ourFiles(".sol").filter((path) => /^contracts\/[^/]+\.sol$/.test(path));
const missing = contracts.filter((path) => !covered.has(path));
report("coverage", covered.size, [...findings, ...missing.map((path) => `${path}: not in the report`)]);

/** LF and LH of each file of contracts/ (lcov's geninfo format). */
function linesByFile(lcov: string): Map<string, Lines> {
  const files = new Map<string, Lines>();
  for (const record of lcov.split("end_of_record")) {
    const value = (key: string): string => new RegExp(`^${key}:(.*)$`, "m").exec(record)?.[1] ?? "";
    const file = value("SF");
    if (file.startsWith("contracts/"))
      files.set(file, { found: Number(value("LF")), hit: Number(value("LH")) });
  }
  return files;
}

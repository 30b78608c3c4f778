// SPDX-License-Identifier: Apache-2.0
// Reads what `hardhat test --coverage` wrote and refuses contracts with a line or a statement that no test reaches: a
// line counts as reached only when every statement on it was.
import { readFileSync } from "node:fs";
import { ourFiles, report } from "./our-files.js";

/** Guards that no caller can reach, by file; the test beside them explains each. */
const UNREACHABLE: Readonly<Record<string, readonly string[]>> = {
  "contracts/libraries/LogTree.sol": ["if (position >= size) return 0;"], // test/contracts/behaviours/inclusion.ts
};

const covered = linesByFile(readFileSync("coverage/lcov.info", "utf8"));
const findings: string[] = [];
for (const [file, { found, missed }] of covered) {
  const percent = found === 0 ? 100 : (100 * (found - missed.length)) / found;
  console.log(`${percent.toFixed(1).padStart(6)} %  ${found - missed.length} of ${found} lines  ${file}`);
  const excused = UNREACHABLE[file] ?? [];
  const texts = readFileSync(file, "utf8").split("\n");
  const texted = missed.map((line) => ({ line, text: texts[line - 1]!.trim() }));
  for (const { line, text } of texted.filter((one) => !excused.includes(one.text)))
    findings.push(`${file}:${line}: no test reaches "${text}"`);
  for (const guard of excused.filter((one) => !texted.some(({ text }) => text === one)))
    findings.push(`${file}: "${guard}" is reached, or gone: it needs no exception`);
}
// A library of constants has no line that runs, an interface neither: only contracts must be in the report.
const contracts = ourFiles(".sol").filter((path) => /^contracts\/[^/]+\.sol$/.test(path));
const missing = contracts.filter((path) => !covered.has(path));
report("coverage", covered.size, [...findings, ...missing.map((path) => `${path}: not in the report`)]);

/** Of each file of contracts/: how many lines can run, and which did not (DA of lcov's geninfo format). */
function linesByFile(lcov: string): Map<string, { found: number; missed: number[] }> {
  const files = new Map<string, { found: number; missed: number[] }>();
  for (const record of lcov.split("end_of_record")) {
    const file = /^SF:(.*)$/m.exec(record)?.[1] ?? "";
    if (!file.startsWith("contracts/")) continue;
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(
      ([, line, count]) => [Number(line), Number(count)] as const,
    );
    files.set(file, {
      found: lines.length,
      missed: lines.filter(([, count]) => count === 0).map(([line]) => line),
    });
  }
  return files;
}

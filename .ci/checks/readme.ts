// SPDX-License-Identifier: Apache-2.0
// Runs the two commands that the README begins with, as they stand there, in a fresh copy of the repository. The
// second one is also where the contract tests and the TypeScript tests run: each must say that tests of its own passed.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outsideNpm } from "../../test/package/outside-npm.js";
import { passingTests } from "./mocha-summaries.js";
import { report } from "./our-files.js";

const READMES = ["README.md", "README.zh-CN.md"];
const EXPECTED_COUNT = 2;
/** The npm scripts behind `npm test`. */
const SUITES = ["test:contracts", "test:unit"];
const TIMEOUT_MS = 45 * 60_000; // the whole of CI has 90 minutes

const [commands = [], ...translated] = READMES.map(firstCommands);
const findings: string[] = [];
if (commands.length !== EXPECTED_COUNT) {
  findings.push(`${READMES[0]} begins with ${commands.length} commands, not with ${EXPECTED_COUNT}`);
}
for (const [index, others] of translated.entries()) {
  if (others.join("\n") !== commands.join("\n"))
    findings.push(`${READMES[index + 1]} begins with other commands`);
}
const copy = freshCopy();
let output = "";
try {
  for (const command of commands) {
    const started = performance.now();
    const ended = await endOf(command);
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`${command}: ${ended === 0 ? "done" : `ended with ${ended}`} in ${seconds} s`);
    if (ended !== 0) findings.push(`${command}: ended with ${ended}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
for (const suite of SUITES) {
  const passing = passingTests(output, suite);
  console.log(`${suite}: ${passing === 0 ? "no test" : `${passing} tests`} passed`);
  if (passing === 0) findings.push(`${suite}: no test of it passed`);
}
report("README's commands", commands.length, findings);

/** Lines of the first `sh` block, without their comments. */
function firstCommands(readme: string): string[] {
  const block = /^```sh\n(.*?)^```$/ms.exec(readFileSync(readme, "utf8"))?.[1] ?? "";
  return block
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "");
}

/** Runs a command in the copy, its output shown and kept. @returns its exit code, or the signal that ended it */
async function endOf(command: string): Promise<number | NodeJS.Signals> {
  const child = spawn("bash", ["-c", command], {
    cwd: copy,
    env: outsideNpm(process.env),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
  });
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    from.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      to.write(text);
    });
  }
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals];
  return code ?? signal;
}

/** What a clone would hold: no installed package, nothing built. */
function freshCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), "chartseal-readme-"));
  const listed = execFileSync("git", ["ls-files", "-z", "-c", "-o", "--exclude-standard"], {
    encoding: "utf8",
  });
  const deleted = execFileSync("git", ["ls-files", "-z", "-d"], { encoding: "utf8" }).split("\0");
  for (const path of listed.split("\0")) {
    if (path !== "" && !deleted.includes(path)) cpSync(path, join(folder, path));
  }
  return folder;
}

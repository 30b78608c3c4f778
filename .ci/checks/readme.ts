// SPDX-License-Identifier: Apache-2.0
// Runs the two commands that the README begins with, as they stand there, in a fresh copy of the repository.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outsideNpm } from "../../test/package/outside-npm.js";
import { report } from "./our-files.js";

const READMES = ["README.md", "README.zh-CN.md"];
const EXPECTED_COUNT = 2;
const TIMEOUT_MS = 15 * 60_000;

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
try {
  for (const command of commands) {
    const started = performance.now();
    const { status, signal } = spawnSync("bash", ["-c", command], {
      cwd: copy,
      env: outsideNpm(process.env),
      stdio: ["ignore", "inherit", "inherit"],
      timeout: TIMEOUT_MS,
    });
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`${command}: ${status === 0 ? "done" : `ended with ${status ?? signal}`} in ${seconds} s`);
    if (status !== 0) findings.push(`${command}: ended with ${status ?? signal}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
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

// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Files of the repository, committed or about to be, as paths from its root; generated and ignored ones are not ours. */
export function ourFiles(...extensions: string[]): string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "-c", "-o", "--exclude-standard"], {
    encoding: "utf8",
  });
  return listed
    .split("\0")
    .filter((path) => path !== "" && !path.startsWith("typechain-types/"))
    .filter((path) => extensions.length === 0 || extensions.some((extension) => path.endsWith(extension)))
    .filter((path) => existsSync(path)) // deleted, not yet committed
    .toSorted();
}

/** Prints what a check found and sets the exit code; a check that looked at nothing has failed too. */
export function report(check: string, looked: number, findings: string[]): void {
  for (const finding of findings) console.error(finding);
  console.log(`${check}: ${looked} looked at, ${findings.length} findings`);
  if (findings.length > 0 || looked === 0) process.exitCode = 1;
}

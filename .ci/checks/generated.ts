// SPDX-License-Identifier: Apache-2.0
// Builds the contracts, writes their TypeScript types anew beside the committed ones, and compares.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync } from "node:fs";
import { report } from "./our-files.js";

const COMMITTED = "typechain-types";
const FRESH = "cache/typechain-fresh"; // as in fresh-types.config.ts

rmSync(FRESH, { recursive: true, force: true });
const arguments_ = ["--config", ".ci/checks/fresh-types.config.ts", "build", "--no-tests"];
const build = spawnSync("hardhat", arguments_, { stdio: "inherit" });
if (build.status !== 0) throw new Error("the contracts do not build");

const committed = filesUnder(COMMITTED);
const fresh = filesUnder(FRESH);
const paths = [...new Set([...committed.keys(), ...fresh.keys()])].toSorted();
const stale = paths.filter((path) => committed.get(path) !== fresh.get(path));
const fix = "run npm run build and commit typechain-types";
report(
  "generated files",
  fresh.size,
  stale.map((path) => `${COMMITTED}/${path} is not what the contracts give: ${fix}\n${difference(path)}`),
);

/** The lines of a file that only one of the two has, the first few. */
function difference(path: string): string {
  const [old, new_] = [committed, fresh].map((files) => files.get(path)?.split("\n") ?? []) as [
    string[],
    string[],
  ];
  const only = (sign: string, lines: string[], others: string[]) =>
    lines.filter((line) => !others.includes(line)).map((line) => `  ${sign} ${line.slice(0, 120)}`);
  return [...only("-", old, new_), ...only("+", new_, old)].slice(0, 6).join("\n");
}

/** Contents by path; the order of lines is left aside, since typechain lists contracts as the compiler ended. */
function filesUnder(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const path of globSync("**/*.ts", { cwd: folder })) {
    const lines = readFileSync(`${folder}/${path}`, "utf8").split("\n");
    files.set(path, lines.toSorted().join("\n"));
  }
  return files;
}

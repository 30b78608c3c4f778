// SPDX-License-Identifier: Apache-2.0
// Mutation testing of the contracts: makes small changes, one at a time, and counts those that no test notices.
// Arguments: the share of mutants to try (default 1); a part of the paths to mutate; a part of the paths of tests to run.
import { appendFileSync, cpSync, globSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compile, parse } from "./compiler.js";
import type { AstNode, Bytecode } from "./compiler.js";
import { applied, mutantsOf, sampleOf } from "./mutants.js";
import type { Mutant } from "./mutants.js";
import { Suites } from "./suites.js";

const COPIED = [
  "artifacts",
  "contracts",
  "hardhat.config.ts",
  "package.json",
  "src",
  "test",
  "tsconfig.json",
];
const REPORT = resolve("cache/mutation.jsonl");
const [share = "1", only = "", tests = ""] = process.argv.slice(2);

type Outcome = "killed" | "survived" | "equal" | "invalid";

// That a mutant is found is enough: neither by many examples nor by the smallest.
process.env["CHARTSEAL_RUNS"] ??= "10";
process.env["CHARTSEAL_SHRINK"] = "no";

const copy = mkdtempSync(join(tmpdir(), "chartseal-mutation-"));
try {
  for (const path of COPIED) cpSync(path, join(copy, path), { recursive: true });
  symlinkSync(resolve("node_modules"), join(copy, "node_modules"));
  process.chdir(copy);
  await tryAll();
} finally {
  rmSync(copy, { recursive: true, force: true });
}

async function tryAll(): Promise<void> {
  const sources = globSync("contracts/**/*.sol")
    .filter((path) => !path.includes("/interfaces/"))
    .toSorted();
  const users = usersOf(sources);
  const mutants = sampleOf(sources.filter((path) => path.includes(only)).flatMap(mutantsOf), Number(share));
  const plain = new Map(
    [...new Set([...users.values()].flat())].map((path) => [path, compile(path, new Map())!]),
  );
  const suites = await Suites.load(tests);
  await suites.deploy(plain);
  const broken = await suites.failing([]);
  if (broken !== undefined) throw new Error(`without any mutant: ${broken}`);

  const counts = new Map<Outcome, number>();
  rmSync(REPORT, { force: true });
  for (const [place, mutant] of mutants.entries()) {
    const { outcome, by } = await outcomeOf(mutant, users.get(mutant.path)!, plain, suites);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    appendFileSync(REPORT, `${JSON.stringify({ outcome, by, ...mutant })}\n`);
    const { path, line, was, becomes } = mutant;
    const change = `${was} -> ${becomes || "nothing"}`.replaceAll(/\s+/g, " ");
    if (outcome === "survived") console.log(`survived ${path}:${line}: ${change}`);
    if (place % 50 === 49) console.log(`${place + 1} of ${mutants.length}: ${told(counts)}`);
  }
  console.log(`${mutants.length} mutants: ${told(counts)}`);
}

async function outcomeOf(
  mutant: Mutant,
  users: readonly string[],
  plain: ReadonlyMap<string, Bytecode>,
  suites: Suites,
): Promise<{ outcome: Outcome; by?: string }> {
  const code = new Map(plain);
  const changed: string[] = [];
  for (const user of users) {
    const mutated = compile(user, new Map([[mutant.path, applied(mutant)]]));
    if (!mutated) return { outcome: "invalid" };
    if (mutated.creation !== plain.get(user)!.creation) changed.push(user);
    code.set(user, mutated);
  }
  if (changed.length === 0) return { outcome: "equal" };
  await suites.deploy(code);
  const names = changed.map((path) => path.replace(/^.*\/|\.sol$/g, ""));
  const by = await suites.failing(names);
  return by === undefined ? { outcome: "survived" } : { outcome: "killed", by };
}

function told(counts: ReadonlyMap<Outcome, number>): string {
  const count = (outcome: Outcome) => counts.get(outcome) ?? 0;
  const tried = count("killed") + count("survived");
  const score = tried === 0 ? 0 : (100 * count("killed")) / tried;
  return `${count("killed")} killed, ${count("survived")} survived (${score.toFixed(1)} %), ${count("equal")} compile to the same code, ${count("invalid")} do not compile`;
}

/** For each source, the contracts that take it in, directly or not. */
function usersOf(sources: readonly string[]): Map<string, string[]> {
  const imports = new Map(sources.map((path) => [path, importsOf(path)]));
  const reach = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const next of imports.get(path) ?? []) reach(next, seen);
    return seen;
  };
  const tops = sources.filter((path) => /^contracts\/\w+\.sol$/.test(path));
  return new Map(sources.map((path) => [path, tops.filter((top) => reach(top).has(path))]));
}

function importsOf(path: string): string[] {
  const nodes = parse(path)["nodes"] as AstNode[];
  return nodes
    .filter(({ nodeType }) => nodeType === "ImportDirective")
    .map((node) => join(path, "..", node["file"] as string));
}

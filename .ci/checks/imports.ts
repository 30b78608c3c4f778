// SPDX-License-Identifier: Apache-2.0
// Checks the direction of imports (import-rules.ts), types included, that there is no cycle, and that the library
// imports production dependencies only. Written out because dependency-cruiser cannot parse beside TypeScript 7.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "oxc-parser";
import { refusal } from "./import-rules.js";
import { ourFiles, report } from "./our-files.js";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
  dependencies: Record<string, string>;
};
const files = ourFiles(".ts", ".mjs", ".cjs");
const graph = new Map<string, string[]>();
const findings = files.flatMap((file) => findingsOf(file));
report("imports", files.length, [...findings, ...cycles()]);

function findingsOf(file: string): string[] {
  const found: string[] = [];
  const inside: string[] = [];
  for (const specifier of specifiersOf(file, found)) {
    if (specifier.startsWith(".")) {
      const target = resolve(file, specifier);
      if (target === undefined) found.push(`${file}: ${specifier} leads nowhere`);
      else {
        inside.push(target);
        const why = refusal(file, target);
        if (why !== undefined) found.push(`${file} -> ${target}: ${why}`);
      }
    } else if (file.startsWith("src/") && !isProduction(specifier)) {
      found.push(`${file} -> ${specifier}: not a production dependency`);
    }
  }
  graph.set(file, inside);
  return found;
}

/** Every module a file names: static, re-exported, by type, or by import() of a constant. */
function specifiersOf(file: string, found: string[]): string[] {
  const source = readFileSync(file, "utf8");
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) found.push(`${file}: cannot be parsed: ${errors[0]?.message}`);
  const named = [
    ...module.staticImports.map((statement) => statement.moduleRequest.value),
    ...module.staticExports.flatMap((statement) =>
      statement.entries.map((entry) => entry.moduleRequest?.value),
    ),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => source.slice(start + 1, end - 1)),
  ];
  return [...new Set(named.filter((name) => name !== undefined))];
}

/** The file of ours behind a relative specifier; `x.js` is written as `x.ts` or `x.d.ts`. */
function resolve(from: string, specifier: string): string | undefined {
  const path = normalize(join(dirname(from), specifier));
  const bare = path.replace(/\.js$/, "");
  return [`${bare}.ts`, `${bare}.d.ts`, path].find((candidate) => existsSync(candidate));
}

function isProduction(specifier: string): boolean {
  if (specifier.startsWith("node:")) return true;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return name in dependencies;
}

/** Cycles, each told once, by a depth-first walk. */
function cycles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push(`cycle: ${[...path.slice(start), file].join(" -> ")}`);
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) walk(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) walk(file);
  return found;
}

// SPDX-License-Identifier: Apache-2.0
import { pathToFileURL } from "node:url";
import { pathOf } from "./tree-file.js";

/** mocha's words that a test file may use at its top. */
const HOOKS = ["before", "beforeEach", "after", "afterEach"] as const;
type Words = Record<"describe" | "it" | (typeof HOOKS)[number], unknown>;

/**
 * The paths of all tests of a file, shared behaviours included, in their order: the file is loaded once more with
 * recorders in place of mocha's words, so nothing runs and the run under way does not see it.
 */
export async function testPaths(file: string): Promise<string[]> {
  const words = globalThis as unknown as Words;
  const ours = Object.fromEntries(
    ["describe", "it", ...HOOKS].map((word) => [word, words[word as keyof Words]]),
  );
  const path: string[] = [];
  const paths: string[] = [];
  words.describe = (title: string, body: () => void) => {
    path.push(title);
    body();
    path.pop();
  };
  words.it = (title: string) => paths.push(pathOf([...path, title]));
  for (const hook of HOOKS) words[hook] = () => undefined;
  try {
    // Another address, so that the module is evaluated anew.
    await import(`${pathToFileURL(file).href}?titles`);
  } finally {
    Object.assign(words, ours);
  }
  return paths;
}

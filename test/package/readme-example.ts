// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./installed-project.js";

const MARKED = /<!-- example:start -->\s*```ts\n(?<code>.*?)```\s*<!-- example:end -->/su;

/** The program between `<!-- example:start -->` and `<!-- example:end -->`. @throws when the README has none */
export function readmeExample(readme: string): string {
  const code = MARKED.exec(readFileSync(join(REPOSITORY, readme), "utf8"))?.groups?.["code"];
  if (code === undefined) throw new Error(`${readme} has no \`\`\`ts block between the example markers`);
  return code;
}

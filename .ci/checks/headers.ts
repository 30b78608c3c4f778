// SPDX-License-Identifier: Apache-2.0
// Every source file of ours says its licence in its first lines.
import { readFileSync } from "node:fs";
import { ourFiles, report } from "./our-files.js";

const sources = ourFiles(".ts", ".mjs", ".cjs", ".js", ".sol", ".py", ".sh", ".ci/run");
const bare = sources.filter((path) => {
  const [first = "", second = ""] = readFileSync(path, "utf8").split("\n", 2);
  const line = first.startsWith("#!") ? second : first;
  return !/^(\/\/|#) SPDX-License-Identifier: Apache-2\.0$/.test(line);
});
report(
  "licence headers",
  sources.length,
  bare.map((path) => `${path}: does not begin with SPDX-License-Identifier: Apache-2.0`),
);

// SPDX-License-Identifier: Apache-2.0
// A mapping names its keys. (solhint's rule would have its values named as well, which their types do.)
import { readFileSync } from "node:fs";
import { ourFiles, report } from "./our-files.js";

const contracts = ourFiles(".sol");
const findings = contracts.flatMap((path) => {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line, index) =>
    /mapping\s*\(\s*[\w.]+\s*=>/.test(line) ? [`${path}:${index + 1}: the mapping's key has no name`] : [],
  );
});
report("mapping keys", contracts.length, findings);

// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Needles } from "./needles.js";

/** Where, in the files below `folders`, any of the needles lies: `<file>: <needle>`. */
export function leftIn(folders: readonly string[], needles: Needles): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .flatMap(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return needles.findIn(readFileSync(path)).map((needle) => `${path}: ${needle}`);
      }),
  );
}

// SPDX-License-Identifier: Apache-2.0
import { rmSync } from "node:fs";

const works: (() => Promise<void>)[] = [];
const folders = new Set<string>();
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * For what the tests of several files share: `work` is done after the last test of the run. A worker of `mocha --parallel`
 * is not told which file is its last, so there it is not done: processes and folders must go with the worker, too.
 */
export function atEnd(work: () => Promise<void>): void {
  works.push(work);
}

/** Removes a folder with this process, if nobody did before. */
export function goesWithProcess(folder: string): string {
  folders.add(folder);
  return folder;
}

/** Mocha runs these once a run, and in a worker once a file. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    if (process.env["MOCHA_WORKER_ID"] !== undefined) return;
    for (const work of works.splice(0)) await work();
  },
};

// SPDX-License-Identifier: Apache-2.0

const WORKS = Symbol.for("chartseal.tests.at-end");

type Work = () => Promise<void>;

/** Of the process: mocha loads this module for its hooks, and tests load it once more. */
const kept = globalThis as { [WORKS]?: Work[] };
const works = (kept[WORKS] ??= []);

/**
 * For what the tests of several files share and one of them made: `work` is done after the last test of the run, or with
 * `mocha --parallel` of the file. It must leave behind that nothing is there, so that the next file makes another.
 */
export function atEnd(work: Work): void {
  works.push(work);
}

/** Mocha runs these once a run, and in a worker once a file. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    for (const work of works.splice(0)) await work();
  },
};

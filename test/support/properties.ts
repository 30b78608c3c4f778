// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";

const { CHARTSEAL_SEED, CHARTSEAL_RUNS, CHARTSEAL_SHRINK } = process.env;

/** Fixed, so that a failure in one place is a failure everywhere; `CHARTSEAL_SEED` tries other examples. */
export const SEED = Number(CHARTSEAL_SEED ?? 20_260_101);

fc.configureGlobal({
  seed: SEED,
  endOnFailure: CHARTSEAL_SHRINK === "no",
  ...(CHARTSEAL_RUNS === undefined ? {} : { numRuns: Number(CHARTSEAL_RUNS) }),
});

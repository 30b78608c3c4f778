// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";

/** Fixed, so that a failure in one place is a failure everywhere; `CHARTSEAL_SEED` tries other examples. */
const SEED = 20_260_101;

const { CHARTSEAL_SEED, CHARTSEAL_RUNS } = process.env;
fc.configureGlobal({
  seed: CHARTSEAL_SEED === undefined ? SEED : Number(CHARTSEAL_SEED),
  ...(CHARTSEAL_RUNS === undefined ? {} : { numRuns: Number(CHARTSEAL_RUNS) }),
});

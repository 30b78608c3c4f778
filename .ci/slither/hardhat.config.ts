// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "hardhat/config";
import config from "../../hardhat.config.js";

/** The contracts alone: Slither finds no other sources of a Hardhat 3 project. */
export default defineConfig({
  ...config,
  paths: {
    ...config.paths,
    sources: "contracts",
    artifacts: "cache/slither/artifacts",
    cache: "cache/slither/cache",
  },
  typechain: { ...config.typechain, outDir: "cache/slither/types" },
});

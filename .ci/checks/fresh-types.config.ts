// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "hardhat/config";
import config from "../../hardhat.config.js";

/** The project's own build, but for where the generated types go. */
export default defineConfig({
  ...config,
  typechain: { ...config.typechain, outDir: "cache/typechain-fresh" },
});

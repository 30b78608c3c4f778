// SPDX-License-Identifier: Apache-2.0
import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    // The compiler comes from npm like everything else: nothing is downloaded at build time.
    version: "0.8.37",
    path: require.resolve("solc/soljson.js"),
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
    settings: { evmVersion: "cancun", viaIR: true, optimizer: { enabled: true, runs: 1_000_000 } },
  },
  networks: {
    // A zero-fee chain, like the consortium's: gas is capacity, not money.
    default: { type: "edr-simulated", chainType: "l1", hardfork: "cancun", initialBaseFeePerGas: 0n, gasPrice: 0n },
    node: { type: "edr-simulated", chainType: "l1", hardfork: "cancun", initialBaseFeePerGas: 0n, gasPrice: 0n },
  },
  paths: { tests: { mocha: "test/contracts", solidity: "test/fuzz" } },
  typechain: { outDir: "typechain-types", tsNocheck: true },
});

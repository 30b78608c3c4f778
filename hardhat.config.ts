// SPDX-License-Identifier: Apache-2.0
import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

// The seed of every fuzz and invariant run, so that a failure comes again; another one looks elsewhere.
const FUZZ_SEED = "0x6368617274736561";

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    // The compiler comes from npm like everything else: nothing is downloaded at build time.
    version: "0.8.37",
    path: require.resolve("solc/soljson.js"),
    npmFilesToBuild: [
      "@openzeppelin/contracts/access/manager/AccessManager.sol",
      "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913WebAuthnVerifier.sol",
    ],
    // Solidity tests are compiled when they run, not each time that something else needs the contracts.
    splitTestsCompilation: true,
    settings: { evmVersion: "cancun", viaIR: true, optimizer: { enabled: true, runs: 1_000_000 } },
  },
  networks: {
    // A zero-fee chain, like the consortium's: gas is capacity, not money.
    default: {
      type: "edr-simulated",
      chainType: "l1",
      hardfork: "cancun",
      initialBaseFeePerGas: 0n,
      gasPrice: 0n,
    },
    node: {
      type: "edr-simulated",
      chainType: "l1",
      hardfork: "cancun",
      initialBaseFeePerGas: 0n,
      gasPrice: 0n,
    },
  },
  test: {
    solidity: {
      profiles: {
        default: {
          fuzz: { runs: 256, seed: FUZZ_SEED },
          invariant: { runs: 10, depth: 64, failOnRevert: true, shrinkRunLimit: 100 },
        },
        deep: {
          fuzz: { runs: 10_000, seed: FUZZ_SEED },
          invariant: { runs: 340, depth: 256, failOnRevert: true, shrinkRunLimit: 100 },
        },
      },
    },
  },
  paths: {
    sources: ["contracts", "test/contracts/accounts"],
    tests: { mocha: "test/contracts", solidity: "test/fuzz" },
  },
  typechain: { outDir: "typechain-types", tsNocheck: true },
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Wallet, type ContractFactory } from "ethers";
import { Chain, deploy, keySigner, type Deployment } from "../../src/chain/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { Chartseal as Module } from "../../ignition/modules/Chartseal.js";
import * as factories from "../../typechain-types/index.js";
import { startChain, type LocalChain } from "../support/local-chain.js";
import { rejected } from "../support/rejected.js";
import { RpcProxy } from "../support/rpc-proxy.js";

const GOVERNANCE: Hex = `0x${"77".repeat(20)}`;
const WAITING_TIME = 7_200;

describe("deploy", function () {
  this.timeout(60_000);
  let node: LocalChain;
  let deployment: Deployment;
  const steps: { contract: string; address: Hex }[] = [];

  before(async () => {
    node = await startChain();
    deployment = await deployTo(node.url);
  });

  after(async () => {
    await node[Symbol.asyncDispose]();
  });

  async function deployTo(url: string, changes = {}): Promise<Deployment> {
    return await deploy({
      url,
      deployer: keySigner(Wallet.createRandom().privateKey),
      governance: GOVERNANCE,
      waitingTime: WAITING_TIME,
      onProgress: (step) => steps.push(step),
      ...changes,
    });
  }

  it("makes the contracts of the Ignition module, in its order and with its arguments", async () => {
    using chain = Chain.open({ url: node.url, deployment });
    const parameters: Record<string, unknown> = { governance: GOVERNANCE, waitingTime: WAITING_TIME };
    const addresses = new Map(steps.map(({ contract, address }) => [contract, address]));
    const argumentOf = (value: unknown): unknown => {
      const { contractName, name, defaultValue } = value as Record<string, string | undefined>;
      if (contractName !== undefined) return addresses.get(contractName);
      return parameters[name!] ?? defaultValue;
    };
    const futures = [...Module.futures] as unknown as { contractName: string; constructorArgs: unknown[] }[];
    expect(steps.map(({ contract }) => contract)).to.deep.equal(
      futures.map(({ contractName }) => contractName),
    );
    for (const [position, { contractName, constructorArgs }] of futures.entries()) {
      const block = await chain.provider.getBlock(deployment.fromBlock + 1 + position, true);
      const factory = factoryOf(contractName);
      const expected = await factory.getDeployTransaction(...constructorArgs.map(argumentOf));
      expect(block!.prefetchedTransactions[0]!.data, contractName).to.equal(expected.data);
    }
  });

  it("gives a deployment that the chain's own check finds whole", async () => {
    using chain = Chain.open({ url: node.url, deployment });
    await chain.check();
    expect(deployment.chainId).to.equal(31_337);
    expect(Number(await chain.members.WAITING_TIME())).to.equal(WAITING_TIME);
  });

  it("refuses what the contracts refuse, with their reason", async () => {
    const short = await rejected("ERR_CHAIN_REFUSED", deployTo(node.url, { waitingTime: 60 }));
    expect(short.values).to.deep.equal({ waitingTime: 60, reason: "WaitingTimeOutOfBounds" });
    await rejected("ERR_USAGE", deployTo(node.url, { governance: "nobody" }));
  });

  describe("Chain.check", () => {
    const mixed = async (changes: Partial<Deployment>) => {
      using chain = Chain.open({ url: node.url, deployment: { ...deployment, ...changes } });
      return await rejected("ERR_CHAIN_MISMATCH", chain.check());
    };

    it("names another chain's id", async () => {
      const error = await mixed({ chainId: 1 });
      expect(error.values).to.deep.equal({ found: 31_337, expected: 1 });
    });

    it("names each address without a contract", async () => {
      for (const contract of [
        "passkeys",
        "members",
        "patients",
        "records",
        "consents",
        "orders",
        "emergencies",
        "accessLog",
      ] as const) {
        const error = await mixed({ [contract]: `0x${"99".repeat(20)}` });
        expect(error.values).to.deep.equal({ contract, address: `0x${"99".repeat(20)}` });
      }
    });

    it("names a contract of another deployment", async () => {
      const other = await deployTo(node.url);
      for (const part of ["authority", "members", "patients", "records", "consents", "accessLog"] as const) {
        const error = await mixed({ [part]: other[part] });
        expect([error.values["contract"], error.values["part"]], part).to.include(part);
      }
    });

    it("asks the node each time: it may be replaced", async () => {
      await using proxy = await RpcProxy.before(node.url);
      using chain = Chain.open({ url: proxy.url, deployment });
      await chain.check();
      proxy.intercept = ({ method }) => (method === "eth_chainId" ? { result: "0x539" } : undefined);
      await rejected("ERR_CHAIN_MISMATCH", chain.check());
    });
  });
});

function factoryOf(contract: string): ContractFactory {
  const Factory = (factories as unknown as Record<string, new () => ContractFactory>)[`${contract}__factory`];
  return new Factory!();
}

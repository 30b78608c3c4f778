// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Wallet, id, toQuantity } from "ethers";
import { Chain, Writer, collectLogs, deploy, keySigner } from "../../src/chain/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { Members } from "../../src/members/index.js";
import { startChain, type LocalChain } from "../support/local-chain.js";
import { rejected } from "../support/rejected.js";
import { RpcProxy } from "../support/rpc-proxy.js";

describe("readLogs", function () {
  this.timeout(60_000);
  let node: LocalChain;
  let proxy: RpcProxy;
  let chain: Chain;
  let admitted: number[];
  const asked: [number, number][] = [];

  before(async () => {
    node = await startChain();
    proxy = await RpcProxy.before(node.url);
    const governor = Wallet.createRandom();
    const deployment = await deploy({
      url: node.url,
      deployer: keySigner(Wallet.createRandom().privateKey),
      governance: governor.address as Hex,
    });
    chain = Chain.open({ url: proxy.url, deployment });
    proxy.intercept = ({ method, params }) => {
      if (method !== "eth_getLogs") return undefined;
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
      asked.push([Number(fromBlock), Number(toBlock)]);
      // As Besu does by default.
      const tooMany = Number(toBlock) - Number(fromBlock) > 5_000;
      return tooMany
        ? { error: { code: -32602, message: "Requested range exceeds maximum range limit" } }
        : undefined;
    };
    const governance = new Writer(chain, keySigner(governor.privateKey));
    const members = new Members(chain);
    admitted = [];
    // Some of them stand on each side of the border between two queries.
    for (let member = 0; member < 12; member++) {
      await members.admit(governance, governor.address as Hex, `member ${member}`);
      admitted.push(await chain.provider.getBlockNumber());
      if (member === 0)
        await node.rpc("anvil_mine", [toQuantity(deployment.fromBlock + 4_993 - admitted[0]!)]);
    }
  });

  beforeEach(() => {
    asked.length = 0;
  });

  after(async () => {
    chain[Symbol.dispose]();
    await proxy[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
  });

  const filter = () => ({
    address: chain.deployment.members,
    topics: [id("MemberAdmitted(uint32,address,string)")],
  });

  it("finds all logs in order over more blocks than a node gives at once, each once", async () => {
    const logs = await collectLogs(chain, filter());
    expect(logs.map(({ blockNumber }) => blockNumber)).to.deep.equal(admitted);
    const last = await chain.provider.getBlockNumber();
    expect(admitted.some((block) => block > chain.deployment.fromBlock + 5_000)).to.equal(true);
    expect(asked).to.have.length(2);
    expect(asked[0]![0]).to.equal(chain.deployment.fromBlock);
    expect(asked.at(-1)![1]).to.equal(last);
    for (const [position, [from, to]] of asked.entries()) {
      expect(to - from).to.be.lessThan(5_000);
      if (position > 0) expect(from).to.equal(asked[position - 1]![1] + 1);
    }
  });

  it("goes on after the last block seen, and ends where it is told", async () => {
    const [first, second, third] = admitted as [number, number, number];
    const rest = await collectLogs(chain, { ...filter(), fromBlock: second + 1 });
    expect(rest.map(({ blockNumber }) => blockNumber)).to.deep.equal(admitted.slice(2));
    const part = await collectLogs(chain, { ...filter(), fromBlock: first, toBlock: third });
    expect(part.map(({ blockNumber }) => blockNumber)).to.deep.equal(admitted.slice(0, 3));
    expect(await collectLogs(chain, { ...filter(), fromBlock: 10 ** 9 })).to.deep.equal([]);
  });

  it("gives no part for the whole when the node fails in the middle", async () => {
    const before = proxy.intercept;
    let calls = 0;
    proxy.intercept = (request) =>
      request.method === "eth_getLogs" && ++calls > 1
        ? { error: { code: -32603, message: "Internal error" } }
        : before(request);
    await rejected("ERR_RPC_UNAVAILABLE", collectLogs(chain, filter()));
    proxy.intercept = before;
  });
});

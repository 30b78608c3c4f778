// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Wallet } from "ethers";
import { Chain, Writer, keySigner, waitForReceipt, type Deployment } from "../../src/chain/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { startChain, type LocalChain } from "../support/local-chain.js";
import { rejected } from "../support/rejected.js";
import { RpcProxy } from "../support/rpc-proxy.js";

const run = promisify(execFile);
const CHILD = new URL("./children/write.ts", import.meta.url).pathname;
const NOWHERE: Hex = `0x${"00".repeat(20)}`;
const GAS = 100_000n;

describe("Writer", function () {
  this.timeout(60_000);
  let node: LocalChain;
  let proxy: RpcProxy;
  let deployment: Deployment;
  let chain: Chain;
  let key: Hex;
  let writer: Writer;

  before(async () => {
    node = await startChain();
    proxy = await RpcProxy.before(node.url);
    // No contract is needed: accounts write to themselves.
    const none = { authority: NOWHERE, passkeys: NOWHERE, members: NOWHERE, patients: NOWHERE };
    const nor = { records: NOWHERE, consents: NOWHERE, orders: NOWHERE, emergencies: NOWHERE };
    deployment = { format: 1, chainId: 31_337, fromBlock: 0, ...none, ...nor, accessLog: NOWHERE };
  });

  beforeEach(() => {
    chain = open();
    key = Wallet.createRandom().privateKey as Hex;
    writer = new Writer(chain, keySigner(key));
  });

  afterEach(async () => {
    proxy.intercept = () => undefined;
    await node.rpc("evm_setAutomine", [true]);
    await node.rpc("evm_mine");
    chain[Symbol.dispose]();
  });

  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
  });

  function open(confirmationTimeoutMs = 20_000): Chain {
    return Chain.open({ url: proxy.url, deployment, callTimeoutMs: 1_000, confirmationTimeoutMs });
  }

  const call = (data = "0x") => ({ to: writer.address, data });
  const nonceOf = (address: string) => chain.provider.getTransactionCount(address, "latest");

  it("counts nonces of calls at the same time", async () => {
    const receipts = await Promise.all(Array.from({ length: 8 }, (_, n) => writer.execute(call(`0x0${n}`))));
    expect(new Set(receipts.map(({ hash }) => hash)).size).to.equal(8);
    expect(await nonceOf(writer.address)).to.equal(8);
  });

  it("shares an account with another process: every transaction of both is mined, once", async () => {
    const flags = ["--disable-warning=ExperimentalWarning", "--import", "tsx", CHILD, node.url];
    const write = async (mark: string) => {
      const { stdout } = await run(process.execPath, [...flags, JSON.stringify(deployment), key, mark, "8"]);
      return JSON.parse(stdout) as string[];
    };
    const hashes = (await Promise.all([write("0xaa"), write("0xbb")])).flat();
    expect(new Set(hashes).size).to.equal(16);
    expect(await nonceOf(writer.address)).to.equal(16);
    for (const hash of hashes) expect((await chain.provider.getTransactionReceipt(hash))?.status).to.equal(1);
  });

  it("names a nonce that another transaction took", async () => {
    const signed = await writer.sign(call("0x01"), GAS);
    await new Writer(chain, keySigner(key)).execute(call("0x02"));
    const error = await rejected("ERR_CHAIN_REFUSED", writer.send(signed.raw));
    expect(error.values).to.deep.equal({ reason: "NONCE_USED", nonce: 0 });
    expect(error.retryable).to.equal(true);
    expect((await writer.execute(call("0x03"))).status, "goes on with the next").to.equal(1);
  });

  it("sends a transaction again without harm, while it waits and after it was mined", async () => {
    await node.rpc("evm_setAutomine", [false]);
    const signed = await writer.sign(call("0x01"), GAS);
    await writer.send(signed.raw);
    await writer.send(signed.raw);
    await node.rpc("evm_mine");
    await writer.send(signed.raw);
    expect(await nonceOf(writer.address)).to.equal(1);
  });

  it("takes the next nonce when another transaction that waits has it", async () => {
    await node.rpc("evm_setAutomine", [false]);
    const other = new Writer(chain, keySigner(key));
    const first = await other.sign(call("0x0a"), GAS);
    await other.send(first.raw);
    const second = writer.execute(call("0x0b"));
    await mineUntil(second);
    expect((await chain.provider.getTransactionReceipt(first.hash))?.status).to.equal(1);
    expect((await chain.provider.getTransaction((await second).hash))?.nonce).to.equal(1);
  });

  it("takes the next nonce when its own transaction was replaced while it waited", async () => {
    const rich = node.keys[3]!;
    const mine = new Writer(chain, keySigner(rich));
    const before = await nonceOf(mine.address);
    await node.rpc("evm_setAutomine", [false]);
    const work = mine.execute({ to: mine.address, data: "0x0a" });
    await pendingOf(mine.address);
    const replacing = await new Wallet(rich).signTransaction({
      chainId: 31_337,
      to: NOWHERE,
      nonce: before,
      gasLimit: GAS,
      gasPrice: 10n ** 10n,
    });
    await node.rpc("eth_sendRawTransaction", [replacing]);
    await mineUntil(work);
    const { hash } = await work;
    expect((await chain.provider.getTransaction(hash))?.nonce).to.equal(before + 1);
    expect(await nonceOf(mine.address)).to.equal(before + 2);
  });

  it("uses the nonces again of what it signed and never sent, once it forgets them", async () => {
    await writer.sign(call("0x01"), GAS);
    expect((await writer.sign(call("0x02"), GAS)).nonce).to.equal(1);
    writer.forgetNonces();
    expect((await writer.sign(call("0x03"), GAS)).nonce).to.equal(0);
  });

  it("gives the contract's reason for a call that is refused at once, and uses up no nonce", async () => {
    const reverting = await deployReverting();
    const error = await rejected(
      "ERR_ACCESS_DENIED",
      writer.execute({ to: reverting, data: "0x" }, "ERR_ACCESS_DENIED"),
    );
    expect(error.values).to.deep.equal({ deadline: 12, reason: "DeadlinePassed" });
    expect(await nonceOf(writer.address)).to.equal(0);
  });

  it("gives the contract's reason for a call that became wrong after the estimate", async () => {
    const reverting = await deployReverting();
    proxy.intercept = ({ method }) => (method === "eth_estimateGas" ? { result: "0x186a0" } : undefined);
    const error = await rejected(
      "ERR_ACCESS_DENIED",
      writer.execute({ to: reverting, data: "0x" }, "ERR_ACCESS_DENIED"),
    );
    expect(error.values).to.deep.equal({ deadline: 12, reason: "DeadlinePassed" });
    expect(await nonceOf(writer.address)).to.equal(1);
  });

  it("says when a transaction ran out of gas without a reason", async () => {
    proxy.intercept = ({ method }) => (method === "eth_estimateGas" ? { result: "0x186a0" } : undefined);
    // 0xfe: INVALID eats all gas while the contract is made.
    const error = await rejected("ERR_CHAIN_REFUSED", writer.execute({ to: null, data: "0xfe" }));
    expect(error.values["reason"]).to.equal(undefined);
  });

  it("names the transaction that may yet be mined when the node's answer was lost", async () => {
    proxy.intercept = ({ method }) => (method === "eth_sendRawTransaction" ? "lose" : undefined);
    const error = await rejected("ERR_RPC_UNAVAILABLE", writer.execute(call("0x01")));
    await node.rpc("evm_mine"); // a node takes a transaction before it mines it
    const receipt = await chain.provider.getTransactionReceipt(error.values["transaction"] as string);
    expect(receipt?.status).to.equal(1);
  });

  it("does not sign when the node is down", async () => {
    proxy.intercept = () => "drop";
    const error = await rejected("ERR_RPC_UNAVAILABLE", writer.execute(call()));
    expect(error.values["transaction"]).to.equal(undefined);
  });

  it("gives up on a transaction that is not mined, and can go on later", async () => {
    await node.rpc("evm_setAutomine", [false]);
    using impatient = open(100);
    const hurried = new Writer(impatient, keySigner(key));
    const error = await rejected("ERR_TIMEOUT", hurried.execute(call("0x01")));
    expect(error.retryable).to.equal(true);
    expect(error.message).to.contain(String(error.values["transaction"]));
    await node.rpc("evm_setAutomine", [true]);
    await node.rpc("evm_mine");
    expect((await hurried.execute(call("0x02"))).status).to.equal(1);
    expect(await nonceOf(writer.address)).to.equal(2);
  });

  describe("waitForReceipt", () => {
    const unknown = `0x${"12".repeat(32)}`;

    it("gives up after the chain's confirmation timeout", async () => {
      using impatient = open(60);
      const error = await rejected("ERR_TIMEOUT", waitForReceipt(impatient, unknown));
      expect(error.values).to.deep.equal({ transaction: unknown });
    });

    it("ends at once when it is aborted, with the signal's reason", async () => {
      const stop = new AbortController();
      const reason = new Error("enough");
      const work = waitForReceipt(chain, unknown, stop.signal);
      setTimeout(() => stop.abort(reason), 100);
      expect(await work.catch((error: unknown) => error)).to.equal(reason);
      expect(await waitForReceipt(chain, unknown, stop.signal).catch((error: unknown) => error)).to.equal(
        reason,
      );
    });
  });

  /** A contract that answers every call with DeadlinePassed(12). */
  async function deployReverting(): Promise<Hex> {
    const selector = chain.consents.interface.getError("DeadlinePassed")!.selector.slice(2);
    // MSTORE(0, selector << 224); MSTORE(4, 12); REVERT(0, 36)
    const runtime = `63${selector}60e01b600052600c60045260246000fd`;
    const size = (runtime.length / 2).toString(16).padStart(2, "0");
    const init = `60${size}600c60003960${size}6000f3${runtime}`;
    const deployer = new Writer(chain, keySigner(Wallet.createRandom().privateKey));
    return (await deployer.execute({ to: null, data: `0x${init}` })).contractAddress as Hex;
  }

  async function pendingOf(address: string): Promise<void> {
    const mined = await nonceOf(address);
    while ((await chain.provider.getTransactionCount(address, "pending")) === mined);
  }

  async function mineUntil(work: Promise<unknown>): Promise<void> {
    let done = false;
    const settled = work.finally(() => (done = true)).catch(() => {});
    while (!done) {
      await node.rpc("evm_mine");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await settled;
  }
});

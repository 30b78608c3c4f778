// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { Writer } from "../../src/chain/index.js";
import { toHex } from "../../src/crypto/index.js";
import { figuresOf } from "../../src/records/index.js";
import { Consortium, enrol, openHospital, type Hospital } from "../support/hospital.js";
import { checkLog } from "../support/log-check.js";
import { linesSource, observations } from "../support/observations.js";
import { RpcProxy, atBlock } from "../support/rpc-proxy.js";

const SEND = "eth_sendRawTransaction";
const SUPERSEDED = 1;

describe("An ingest whose chain", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let proxy: RpcProxy;
  let place: Hospital;
  let hospital: Chartseal;
  let count = 0;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await RpcProxy.before(consortium.chain.url);
    place = await consortium.hospital(`c${++count}`, proxy.url);
    hospital = await openHospital(place);
    await enrol(hospital, "p");
  });
  afterEach(async () => {
    await consortium.chain.rpc("evm_setAutomine", [true]);
    await hospital[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  it("has not mined a batch yet: its items are counted as submitted", async () => {
    const counted: Record<string, number>[] = [];
    const now = () => figuresOf(hospital.journal.database).items;
    proxy.intercept = ({ method }) => {
      if (method === "eth_getTransactionReceipt") counted.push(now());
      return undefined;
    };
    await hospital.ingest(linesSource(observations("p", 3)));
    expect(counted[0]).to.include({ sealed: 0, batched: 0, submitted: 3, anchored: 0 });
    expect(now()).to.include({ sealed: 0, batched: 0, submitted: 0, anchored: 3 });
  });

  /** Anchors a batch of this member behind the ingest's back. */
  async function anchorElsewhere(entries: number): Promise<void> {
    const { chain, memberId } = hospital;
    const next = Number(await chain.records.headOf(memberId)) + 1;
    const call = await chain.records.anchor.populateTransaction(
      next,
      entries,
      randomBytes(32),
      randomBytes(32),
    );
    await new Writer(chain, hospital.signer("operator")).execute(call);
  }

  it("is down takes all items, says so, and anchors them when it is back", async () => {
    proxy.intercept = () => "drop";
    const run = await hospital.ingest(linesSource(observations("p", 30)), { chainWait: 0 });
    expect(run).to.include({ sealed: 30, anchored: 0 });
    expect(run.failure).to.include({ code: "ERR_RPC_UNAVAILABLE", retryable: true });
    proxy.intercept = () => undefined;
    expect(await hospital.retry()).to.include({ anchored: 30 });
    await checkLog(hospital);
  });

  it("comes back before the run ends is waited for", async () => {
    let refusals = 0;
    proxy.intercept = () => (refusals++ < 5 ? "drop" : undefined);
    const run = await hospital.ingest(linesSource(observations("p", 30)));
    expect(run).to.include({ sealed: 30, anchored: 30 });
    expect(run.failure).to.equal(undefined);
  });

  it("loses the answer to a transaction that it took anchors it once", async () => {
    let losses = 0;
    proxy.intercept = ({ method }) => (method === SEND && losses++ < 2 ? "lose" : undefined);
    const run = await hospital.ingest(linesSource(observations("p", 40)), { batchItems: 10 });
    expect(run).to.include({ sealed: 40, anchored: 40 });
    expect(losses).to.be.greaterThan(2);
    await checkLog(hospital);
  });

  it("drops transactions without a word gets them again", async () => {
    let dropped = 0;
    proxy.intercept = ({ method }) =>
      method === SEND && dropped++ === 1 ? { result: toHex(randomBytes(32)) } : undefined;
    await hospital.ingest(linesSource(observations("p", 10)), { batchItems: 10 });
    await openAgain();
    const run = await hospital
      .ingest(linesSource(observations("p", 30, 11)), {
        batchItems: 10,
        chainWait: 0,
        signal: AbortSignal.timeout(1_500),
      })
      .catch(() => undefined);
    expect(run, "stopped while it waits").to.equal(undefined);
    await openAgain();
    await hospital.retry();
    expect(await checkLog(hospital)).to.have.lengthOf(40);
  });

  it("lost its last blocks gets their batches and marks again", async () => {
    await hospital.ingest(linesSource(observations("p", 10)), { batchItems: 5 });
    const snapshot = await consortium.chain.rpc("evm_snapshot");
    await hospital.ingest(linesSource([...observations("p", 5, 1, "second"), ...observations("p", 10, 20)]), {
      batchItems: 5,
    });
    await checkLog(hospital);
    await consortium.chain.rpc("evm_revert", [snapshot]);
    expect(Number(await hospital.chain.records.headOf(hospital.memberId))).to.equal(10);

    const run = await hospital.ingest(linesSource(observations("p", 5, 40)), { batchItems: 5 });
    expect(run).to.include({ anchored: 20, superseded: 5 });
    expect(await checkLog(hospital)).to.have.lengthOf(30);
    for (let index = 1; index <= 5; index++) {
      expect(await hospital.chain.records.statusOf(hospital.memberId, index)).to.equal(BigInt(SUPERSEDED));
    }
  });

  it("loses its last blocks before the marks has them again in the same run", async () => {
    await hospital.ingest(linesSource(observations("p", 10)), { batchItems: 5 });
    const snapshot = await consortium.chain.rpc("evm_snapshot");
    const { chain, memberId } = hospital;
    const { selector } = chain.records.interface.getFunction("supersede");
    let lost: Promise<unknown> | undefined;
    proxy.intercept = async ({ method, params }) => {
      const { data = "" } = (params[0] ?? {}) as { data?: string };
      if (method === "eth_estimateGas" && data.startsWith(selector)) {
        await (lost ??= consortium.chain.rpc("evm_revert", [snapshot]));
      }
      return undefined;
    };
    const run = await hospital.ingest(linesSource(observations("p", 5, 1, "second")), { batchItems: 5 });
    expect(await lost).to.equal(true);
    expect(run.failure?.message).to.equal(undefined);
    expect(run).to.include({ superseded: 5 });
    expect(await checkLog(hospital)).to.have.lengthOf(15);
    for (let index = 1; index <= 5; index++) {
      expect(await chain.records.statusOf(memberId, index)).to.equal(BigInt(SUPERSEDED));
    }
  });

  it("lost a mark that was made after newer ones gets it again", async () => {
    const { chain, memberId } = hospital;
    const abi = chain.records.interface;
    let refused = false;
    proxy.intercept = ({ method, params }) => {
      const { data = "" } = (params[0] ?? {}) as { data?: string };
      const supersedes = data.startsWith(abi.getFunction("supersede").selector);
      if (method !== "eth_estimateGas" || refused || !supersedes) return undefined;
      const [older] = abi.decodeFunctionData("supersede", data) as unknown as [{ leaf: { index: bigint } }];
      refused = older.leaf.index === 1n;
      return refused ? { error: { code: -32_603, message: "busy" } } : undefined;
    };
    const marked = async () => {
      const indices = [1, 2, 3, 4, 5];
      const statuses = await Promise.all(indices.map((index) => chain.records.statusOf(memberId, index)));
      return statuses.map(Number);
    };
    const lines = [...observations("p", 5), ...observations("p", 5, 1, "second")];
    const run = await hospital.ingest(linesSource(lines), { chainWait: 0 });
    expect(run.failure).to.include({ retryable: true });
    expect(await marked()).to.deep.equal([0, 1, 1, 1, 1]);
    const snapshot = await consortium.chain.rpc("evm_snapshot");
    expect(await hospital.retry()).to.include({ superseded: 1 });
    await consortium.chain.rpc("evm_revert", [snapshot]);
    expect(await marked()).to.deep.equal([0, 1, 1, 1, 1]);
    expect(await hospital.retry()).to.include({ superseded: 1 });
    expect(await marked()).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it("shows a false receipt has it looked into, and not written down", async () => {
    const blockNumber = "0xf4240";
    let lies = 0;
    const alter = (receipt: unknown) =>
      receipt === null || lies++ > 0
        ? receipt
        : { ...receipt, blockNumber, blockHash: toHex(randomBytes(32)) };
    proxy.intercept = ({ method }) => (method === "eth_getTransactionReceipt" ? { alter } : undefined);
    const run = await hospital.ingest(linesSource(observations("p", 10)), { batchItems: 5 });
    expect(run).to.include({ sealed: 10, anchored: 10 });
    expect(lies).to.be.greaterThan(0);
    await checkLog(hospital); // its receipts name the true blocks
  });

  it("lost its last blocks, and has another batch there now, gets all items at new places", async () => {
    await hospital.ingest(linesSource(observations("p", 10)), { batchItems: 5 });
    const snapshot = await consortium.chain.rpc("evm_snapshot");
    await hospital.ingest(linesSource(observations("p", 10, 20)), { batchItems: 5 });
    await consortium.chain.rpc("evm_revert", [snapshot]);
    await anchorElsewhere(5); // as many as the first of the two lost
    const run = await hospital.ingest(linesSource(observations("p", 5, 40)), { batchItems: 5 });
    expect(run.failure).to.equal(undefined);
    await expectOwnLog(25, 30);
  });

  it("is still syncing is not sent again what it does not show yet", async () => {
    await hospital.ingest(linesSource(observations("p", 10)), { batchItems: 5 });
    const old = await consortium.chain.rpc<string>("eth_blockNumber");
    await hospital.ingest(linesSource(observations("p", 10, 20)), { batchItems: 5 });
    proxy.intercept = (request) =>
      request.method === "eth_syncing" ? { result: { currentBlock: old } } : atBlock(request, old);
    let sent = 0;
    const behind = proxy.intercept;
    proxy.intercept = (request) => {
      if (request.method === SEND) sent++;
      return behind(request);
    };
    const run = await hospital.ingest(linesSource(observations("p", 5, 40)), { batchItems: 5, chainWait: 0 });
    expect(run.failure).to.include({ code: "ERR_RPC_UNAVAILABLE" });
    expect(sent).to.equal(0);
    proxy.intercept = () => undefined;
    expect(await hospital.retry()).to.include({ anchored: 5 });
    await checkLog(hospital);
  });

  it("is two nodes, one behind the other, is never judged by a mixture of both", async () => {
    await consortium.chain.rpc("evm_setAutomine", [false]);
    const stop = new AbortController();
    const first = hospital
      .ingest(linesSource(observations("p", 10)), {
        batchItems: 5,
        signal: stop.signal,
      })
      .catch(() => undefined);
    await until(
      async () =>
        hospital.journal.openBatches().every((batch) => batch.state === 4) &&
        hospital.journal.openBatches().length === 2,
    );
    stop.abort();
    await first;
    const old = await consortium.chain.rpc<string>("eth_blockNumber");
    await consortium.chain.rpc("evm_mine");
    // Two of five questions go to the node that has not seen the block.
    let turn = 0;
    proxy.intercept = (request) => (turn++ % 5 < 2 ? atBlock(request, old) : undefined);
    await consortium.chain.rpc("evm_setAutomine", [true]);
    await hospital.retry({ chainWait: 30_000 });
    proxy.intercept = () => undefined;
    await hospital.retry();
    expect(await checkLog(hospital)).to.have.lengthOf(10);
  });

  it("refuses the operator keeps the items, and takes them when he is enrolled again", async () => {
    await hospital.ingest(linesSource(observations("p", 5)));
    const { address } = hospital.writer("operator");
    const { members, chain } = hospital;
    await members.revokeStaff(place.admin, address, new Date(Date.now() - 60_000), "LEFT");
    const run = await hospital.ingest(linesSource(observations("p", 10, 20)), { batchItems: 5 });
    expect(run).to.include({ sealed: 10, anchored: 0 });
    expect(run.failure?.code).to.equal("ERR_CHAIN_REFUSED");
    expect(run.failure?.values["reason"]).to.equal("StaffIsRevoked");
    const nonce = await chain.provider.getTransactionCount(address);
    expect((await hospital.retry()).failure?.code).to.equal("ERR_CHAIN_REFUSED");
    expect(await chain.provider.getTransactionCount(address), "no more transactions that revert").to.equal(
      nonce,
    );

    const key = toHex(randomBytes(32));
    hospital.vault.putStaffKey("operator", key);
    await openAgain();
    const staff = { account: hospital.writer("operator").address, roles: ["OPERATOR"] as const };
    const personId = toHex(randomBytes(32));
    await members.enrolStaff(place.admin, hospital.memberId, {
      ...staff,
      notAfter: new Date("2099-01-01"),
      personId,
    });
    expect(await hospital.retry()).to.include({ anchored: 10 });
    await checkLog(hospital);
  });

  it("was given another batch first re-indexes and re-signs its own", async () => {
    await hospital.ingest(linesSource(observations("p", 5)));
    let raced = false;
    proxy.intercept = async ({ method }) => {
      if (method === SEND && !raced) {
        raced = true;
        await anchorElsewhere(7); // this passes through here too
      }
      return undefined;
    };
    const run = await hospital.ingest(linesSource(observations("p", 20, 20)), { batchItems: 5 });
    expect(run.failure).to.equal(undefined);
    expect(run.anchored).to.equal(20);
    await expectOwnLog(25, 32);
  });

  it("was given a batch of the same size first keeps what fits behind it", async () => {
    await consortium.chain.rpc("evm_setAutomine", [false]);
    const { chain, memberId } = hospital;
    let overtaken = false;
    proxy.intercept = async ({ method, params }) => {
      if (method !== SEND || overtaken) return undefined;
      overtaken = true;
      // Takes both the place in the log and the nonce.
      const call = await chain.records.anchor.populateTransaction(1, 5, randomBytes(32), randomBytes(32));
      const signed = await new Writer(chain, hospital.signer("operator")).sign(call, 200_000n);
      await consortium.chain.rpc(SEND, [signed.raw]);
      await consortium.chain.rpc("evm_mine");
      await consortium.chain.rpc("evm_setAutomine", [true]);
      return params.length > 0 ? undefined : "drop";
    };
    const run = await hospital.ingest(linesSource(observations("p", 20)), { batchItems: 5 });
    expect(run.failure).to.equal(undefined);
    expect(run.anchored).to.equal(20);
    expect(memberId).to.be.greaterThan(0);
    await expectOwnLog(20, 25);
  });

  it("saw the nonce used by another transaction of the account signs anew", async () => {
    await hospital.ingest(linesSource(observations("p", 5)));
    let taken = 0;
    proxy.intercept = async ({ method }) => {
      if (method === SEND && taken++ === 0) await plainTransfer();
      return undefined;
    };
    const run = await hospital.ingest(linesSource(observations("p", 10, 20)), { batchItems: 5 });
    expect(run.failure).to.equal(undefined);
    expect(run.anchored).to.equal(10);
    await checkLog(hospital);
  });

  it("holds another unmined transaction with the nonce waits for it and signs anew", async () => {
    await consortium.chain.rpc("evm_setAutomine", [false]);
    await plainTransfer();
    const running = hospital.ingest(linesSource(observations("p", 10)), { batchItems: 5 });
    await until(async () => hospital.journal.openBatches().length > 0);
    await consortium.chain.rpc("evm_mine");
    await consortium.chain.rpc("evm_setAutomine", [true]);
    await consortium.chain.rpc("evm_mine");
    expect(await running).to.include({ anchored: 10 });
    await checkLog(hospital);
  });

  /** A transaction of the operator's that some other process sends. */
  async function plainTransfer(): Promise<void> {
    const { chain } = hospital;
    const writer = new Writer(chain, hospital.signer("operator"));
    const { raw } = await writer.sign({ to: writer.address, data: "0x" }, 21_000n);
    await consortium.chain.rpc(SEND, [raw]);
  }

  async function openAgain(): Promise<void> {
    await hospital[Symbol.asyncDispose]();
    hospital = await openHospital(place);
  }

  /** Every item once, in a log that also holds entries of another journal. */
  async function expectOwnLog(items: number, head: number): Promise<void> {
    const { journal, chain, memberId } = hospital;
    const anchored = journal.batches().reduce((sum, batch) => sum + batch.count, 0);
    expect({ anchored, open: journal.openBatches().length }).to.deep.equal({ anchored: items, open: 0 });
    expect(Number(await chain.records.headOf(memberId))).to.equal(head);
    for (const { firstIndex, count: size, root } of journal.batches()) {
      const found = await chain.records.rootAndStatus(memberId, firstIndex, size, firstIndex);
      expect(found.root).to.equal(toHex(root));
    }
  }
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > giveUp) throw new Error("it does not come true");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

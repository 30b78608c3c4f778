// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { Chain } from "../../src/chain/index.js";
import { disclosures, timeline, type Audit, type Registry } from "../../src/audit/index.js";
import { rejection } from "../vault/temporary-vault.js";
import { startLyingNode, type Lie, type LyingNode } from "./lying-node.js";
import { theStory, type Story } from "./two-hospitals.js";

describe("disclosures from a lying node", function () {
  this.timeout(60_000);
  let story: Story;
  let node: LyingNode;
  let chain: Chain;
  let honest: Audit;

  before(async () => {
    story = await theStory();
    node = await startLyingNode(story.hospitals.local.url);
    chain = Chain.open({ url: node.url, deployment: story.hospitals.chain.deployment });
    honest = await disclosures({ chain, patient: story.patientId });
  });

  after(async () => {
    chain[Symbol.dispose]();
    await node[Symbol.asyncDispose]();
  });

  /** Lies about one contract's events. */
  function about(registry: Registry, lie: Lie): Lie {
    const address = honest.contracts[registry];
    return (logs) => (logs[0]?.address.toLowerCase() === address ? lie(logs) : logs);
  }

  async function auditWith(lie: Lie): Promise<Audit> {
    node.lie = lie;
    try {
      return await disclosures({ chain, patient: story.patientId });
    } finally {
      node.lie = (logs) => logs;
    }
  }

  /** The one head that differs. */
  function wrong(audit: Audit) {
    expect(audit.complete).to.equal(false);
    const heads = audit.heads.filter((head) => !head.complete);
    expect(heads).to.have.length(1);
    return heads[0]!;
  }

  const blocksOf = (kind: string) =>
    honest.entries.filter((entry) => entry.kind === kind).map((entry) => entry.blockNumber);

  it("finds nothing wrong as long as the node does not lie", () => {
    expect(honest.complete).to.equal(true);
    expect(honest.entries).to.have.length(11);
  });

  it("reads more than 5,000 blocks in chunks that Besu accepts", () => {
    expect(honest.block.number).to.be.greaterThan(5_000);
    expect(Math.max(...node.spans)).to.equal(5_000);
    expect(blocksOf("access")[1]! - blocksOf("access")[0]!).to.be.greaterThan(5_000);
  });

  function dropping(block: number): Promise<Audit> {
    return auditWith(about("AccessLog", (logs) => logs.filter((log) => Number(log.blockNumber) !== block)));
  }

  it("names a retraction that the node leaves out", async () => {
    const retraction = id("EntryRetracted(uint32,uint64,bytes32)");
    const audit = await auditWith(
      about("RecordRegistry", (logs) => logs.filter(({ topics }) => topics[0] !== retraction)),
    );
    expect(wrong(audit)).to.include({ registry: "RecordRegistry", finding: "MISSING", events: 1, count: 2 });
  });

  it("names a dropped event and where the lists part", async () => {
    const [, second, third] = blocksOf("access");
    const audit = await dropping(third!);
    const head = wrong(audit);
    expect(head).to.deep.include({ registry: "AccessLog", finding: "MISSING", events: 2, count: 3 });
    expect(head.parting).to.deep.equal({ agreeing: 2, agreeUntil: second, differAt: honest.block.number });
    expect(head.detail).to.equal(
      `the chain counts 3 events, the node showed 2: one is missing; the first 2 agree, up to block ${second}; ` +
        `they differ by block ${honest.block.number}`,
    );
    expect(timeline(audit)).to.contain("INCOMPLETE").and.to.contain("one is missing");
    expect(timeline(audit, { language: "zh" }))
      .to.contain("不完整")
      .and.to.contain("缺少 1 个");
  });

  it("names where the lists part as far as the node still knows its old states", async () => {
    const [first, second, third] = blocksOf("access");
    node.statesFrom = first! + 1;
    try {
      const head = wrong(await dropping(second!));
      expect(head.parting).to.deep.equal({ differAt: third });
      expect(head.detail).to.equal(
        `the chain counts 3 events, the node showed 2: one is missing; they differ by block ${third}`,
      );
    } finally {
      node.statesFrom = 0;
    }
  });

  it("names all events as dropped when the node shows none", async () => {
    const head = wrong(await auditWith(about("ConsentRegistry", () => [])));
    expect(head).to.deep.include({ registry: "ConsentRegistry", finding: "MISSING", events: 0, count: 5 });
    expect(head.parting).to.deep.equal({ agreeing: 0, differAt: honest.block.number });
    expect(head.detail).to.contain(
      "the chain counts 5 events, the node showed 0: 5 are missing; not one agrees",
    );
  });

  it("names an altered event", async () => {
    const alter: Lie = (logs) =>
      logs.map((log, position) =>
        // The last bit of the data: a directive's denied compartment, a time, ...
        position === 0
          ? { ...log, data: `${log.data.slice(0, -1)}${log.data.endsWith("0") ? "1" : "0"}` }
          : log,
      );
    const head = wrong(await auditWith(about("PatientRegistry", alter)));
    expect(head).to.deep.include({ registry: "PatientRegistry", finding: "ALTERED", events: 1, count: 1 });
    expect(head.detail).to.contain("another digest: an event was altered, replaced or reordered");
  });

  it("names an event whose reader was exchanged", async () => {
    const other = `0x${"00".repeat(12)}${"ab".repeat(20)}`;
    const exchange: Lie = (logs) =>
      logs.map((log) => ({ ...log, topics: [...log.topics.slice(0, 3), other] }));
    const audit = await auditWith(about("AccessLog", exchange));
    expect(wrong(audit).finding).to.equal("ALTERED");
  });

  it("names another order, and shows the events in the chain's", async () => {
    const audit = await auditWith(about("ConsentRegistry", (logs) => logs.toReversed()));
    const head = wrong(audit);
    expect(head).to.deep.include({ registry: "ConsentRegistry", finding: "REORDERED", events: 5, count: 5 });
    expect(head.detail).to.equal("the chain counts 5 events, the node showed them in another order");
    expect(audit.entries).to.deep.equal(honest.entries);
  });

  it("does not take an exchange of places for another order", async () => {
    const exchange: Lie = (logs) => {
      const places = logs.map(({ blockNumber, logIndex }) => ({ blockNumber, logIndex })).toReversed();
      return logs.map((log, position) => ({ ...log, ...places[position]! })).toReversed();
    };
    expect(wrong(await auditWith(about("ConsentRegistry", exchange))).finding).to.equal("ALTERED");
  });

  it("names an event that was shown twice", async () => {
    const head = wrong(await auditWith(about("PatientRegistry", (logs) => [...logs, ...logs])));
    expect(head).to.deep.include({ finding: "SURPLUS", events: 2, count: 1 });
    expect(head.detail).to.contain("the node showed 2: one too many");
  });

  it("lists bytes that mean nothing instead of failing on them", async () => {
    const audit = await auditWith(
      about("AccessLog", (logs) =>
        logs.map((log) => ({ ...log, data: "0x1234", topics: log.topics.slice(0, 3) })),
      ),
    );
    expect(wrong(audit).finding).to.equal("ALTERED");
    const others = audit.entries.filter((entry) => entry.kind === "other");
    expect(others.map((entry) => entry.blockNumber)).to.deep.equal(blocksOf("access"));
    expect(others.every((entry) => entry.at > 0)).to.equal(true);
  });

  it("judges without the place when the node keeps no older states", async () => {
    node.statesFrom = honest.block.number;
    try {
      const head = wrong(await auditWith(about("AccessLog", (logs) => logs.slice(1))));
      expect(head).not.to.have.property("parting");
      expect(head.detail).to.match(/^the chain counts 3 events, the node showed [012]: .* missing$/);
    } finally {
      node.statesFrom = 0;
    }
  });

  it("says that a node does not answer", async () => {
    const dead = await startLyingNode(story.hospitals.local.url);
    using unreachable = Chain.open({ url: dead.url, deployment: chain.deployment });
    await dead[Symbol.asyncDispose]();
    const error = await rejection(
      "ERR_RPC_UNAVAILABLE",
      disclosures({ chain: unreachable, patient: story.patientId }),
    );
    expect(error.retryable).to.equal(true);
  });
});

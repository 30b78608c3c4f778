// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { Journal } from "../../src/records/index.js";
import { openEmbeddedStore, type BlobStore } from "../../src/storage/index.js";
import { startChain } from "../support/local-chain.js";
import { Consortium, type Desk } from "./consortium.js";
import { observations, reference } from "./observations.js";

/** A member whose store has the replicas r1 and r2, two folders, with some entries of a patient called ann. */
export class TwoReplicas {
  static readonly ENTRIES = 6;
  consortium!: Consortium;
  a!: Desk;
  /** The patient's own key. */
  key = "";

  /** Gives the surrounding `describe` one. */
  static forAllTests(): TwoReplicas {
    const member = new TwoReplicas();
    before(async () => await member.#start());
    after(() => member.consortium[Symbol.asyncDispose]());
    return member;
  }

  async #start(): Promise<void> {
    this.consortium = await Consortium.start({ chain: await startChain() });
    this.a = await this.consortium.member("a", "operator");
    this.key = this.consortium.keyFile("ann.key");
    this.configure(2);
    await this.a.done("patient", "enrol", "--identifier", reference("ann"), "--signer-key", this.key);
    await this.a.done("patient", "administrative");
    writeFileSync(this.a.path("a.ndjson"), observations("ann", TwoReplicas.ENTRIES));
    await this.a.done("ingest", this.a.path("a.ndjson"), "--batch-items", "3");
  }

  configure(write: number): void {
    this.a.configure({ store: { replicas: ["r1", "r2"], write } });
  }

  async journal<T>(work: (journal: Journal) => T): Promise<T> {
    using vault = await this.a.vault();
    using opened = Journal.open(this.a.path("journal.db"), vault);
    return work(opened);
  }

  async cidOf(index: number): Promise<string> {
    return await this.journal((opened) => opened.itemAt(index)!.cid!);
  }

  async inReplica<T>(name: string, work: (store: BlobStore) => Promise<T>): Promise<T> {
    await using store = await openEmbeddedStore(this.a.path(name));
    return await work(store);
  }

  async held(name: string): Promise<string[]> {
    return await this.inReplica(name, async (store) =>
      (await Array.fromAsync(store.list())).map(({ cid }) => cid),
    );
  }

  async whole(name: string, cid: string): Promise<boolean> {
    return await this.inReplica(name, async (store) => (await store.verify(cid)).ok);
  }

  async expectAlike(): Promise<void> {
    expect(await this.held("r1")).to.deep.equal(await this.held("r2"));
  }

  /** Makes a replica unreachable while `work` runs: where its folder was, there is a file. */
  async without<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { a } = this;
    renameSync(a.path(name), a.path(`${name}-away`));
    writeFileSync(a.path(name), "");
    try {
      return await work();
    } finally {
      rmSync(a.path(name));
      renameSync(a.path(`${name}-away`), a.path(name));
    }
  }
}

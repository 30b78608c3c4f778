// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openEmbeddedStore, type BlobStore } from "../../src/storage/index.js";

/** An embedded store in a folder of its own, with the means to look and meddle behind its back. */
export class TemporaryStore {
  folder = "";
  store!: BlobStore;

  /** Gives every test of the surrounding `describe` a new store. */
  static forEachTest(): TemporaryStore {
    const temporary = new TemporaryStore();
    beforeEach(async () => {
      temporary.folder = mkdtempSync(join(tmpdir(), "chartseal-store-"));
      temporary.store = await openEmbeddedStore(temporary.folder);
    });
    afterEach(async () => {
      await temporary.store[Symbol.asyncDispose]();
      rmSync(temporary.folder, { recursive: true, force: true });
    });
    return temporary;
  }

  async reopen(readOnly: boolean): Promise<BlobStore> {
    return await openEmbeddedStore(this.folder, { readOnly });
  }

  fileOf(cid: string): string {
    return join(this.folder, "bodies", cid.slice(-3, -1), cid);
  }

  temporaryFiles(): string[] {
    return readdirSync(join(this.folder, "bodies")).filter((name) => name.startsWith("."));
  }

  sql(statement: string, ...values: (string | number | Uint8Array)[]): void {
    const database = new DatabaseSync(join(this.folder, "store.sqlite"));
    database.prepare(statement).run(...values);
    database.close();
  }
}

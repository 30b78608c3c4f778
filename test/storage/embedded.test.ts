// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openEmbeddedStore } from "../../src/storage/index.js";
import { shouldBehaveLikeBlobStore } from "./blob-store-behaviour.js";
import { expectCode } from "./expect-code.js";
import { keystream, keystreamBytes } from "./keystream.js";
import { TemporaryStore } from "./temporary-store.js";

const MIB = 1_048_576;

describe("embedded store", function () {
  this.timeout(30_000);
  // Looks before the store's folder is removed.
  afterEach("no temporary file is left", () => {
    expect(at.temporaryFiles()).to.deep.equal([]);
  });
  const at = TemporaryStore.forEachTest();

  shouldBehaveLikeBlobStore(at, 1_203);

  it("removes the file of a large body that is deleted", async () => {
    const { cid } = await at.store.put(keystream(MIB + 1));
    await at.store.delete(cid);
    expect(statSync(at.fileOf(cid), { throwIfNoEntry: false })).to.equal(undefined);
  });

  it("is readable by its owner only", async () => {
    const { cid } = await at.store.put(await keystreamBytes(MIB + 1));
    const mode = (path: string): number => statSync(path).mode & 0o777;
    for (const name of ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"]) {
      expect(mode(join(at.folder, name)), name).to.equal(0o600);
    }
    expect(mode(at.fileOf(cid))).to.equal(0o600);
    expect(mode(join(at.folder, "bodies"))).to.equal(0o700);
    const deeper = join(at.folder, "new", "store");
    await (await openEmbeddedStore(deeper))[Symbol.asyncDispose]();
    expect(mode(deeper)).to.equal(0o700);
  });

  it("refuses another format", async () => {
    at.sql("PRAGMA user_version = 2");
    const error = await expectCode("ERR_FORMAT_UNSUPPORTED", () => openEmbeddedStore(at.folder));
    expect(error.values).to.deep.include({ found: 2, format: 1 });
  });

  it("is not made when it is opened read-only", async () => {
    await expectCode("ERR_CONFIG_INVALID", () =>
      openEmbeddedStore(join(at.folder, "none"), { readOnly: true }),
    );
    expect(statSync(join(at.folder, "none"), { throwIfNoEntry: false })).to.equal(undefined);
  });
});

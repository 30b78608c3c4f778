// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STORE_FORMAT } from "../../src/storage/blob-index.js";
import { openEmbeddedStore } from "../../src/storage/index.js";

const OLD_FILES = join(import.meta.dirname, "../vectors/old-files");
const FORMATS = Array.from({ length: STORE_FORMAT }, (_, place) => place + 1);
/** What was put there, by its CID. */
const BODIES: Readonly<Record<string, string>> = {
  bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku: "",
  bafkreif4djwtuijuoxcnpehno4lvhf2c2377p7i3bt4623nwo6a6kzuwqa: "sealed body one",
  bafkreigftu6ajagmfvy5r5sg4426slngkridchxmi3ubuxnyy7torkjakq: "x".repeat(5_000),
};

describe("A store that a released version wrote", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "chartseal-store-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is committed here for every format up to this one", () => {
    for (const format of FORMATS)
      expect(existsSync(join(OLD_FILES, `store-${format}.sqlite`))).to.equal(true);
  });

  for (const format of FORMATS) {
    it(`opens, of format ${format}, with every body under its CID`, async () => {
      copyFileSync(join(OLD_FILES, `store-${format}.sqlite`), join(folder, "store.sqlite"));
      await using store = await openEmbeddedStore(folder);
      const found = (await Array.fromAsync(store.list())).map(({ cid }) => cid);
      expect(found).to.have.members(Object.keys(BODIES));
      for (const [cid, body] of Object.entries(BODIES))
        expect(Buffer.concat(await Array.fromAsync(store.get(cid))).toString()).to.equal(body);
    });
  }
});

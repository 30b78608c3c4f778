// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { LeafKind } from "../../src/crypto/index.js";
import { ItemState, Journal, type JournalItem } from "../../src/records/index.js";
import { Vault, passphrase } from "../../src/vault/index.js";
import { TemporaryFolder } from "../vault/temporary-vault.js";

const OLD_FILES = join(import.meta.dirname, "../vectors/old-files");

/** Files as version 0.1.0 wrote them before each change of format; their vault's passphrase is no secret. */
describe("A journal of format 1", () => {
  let folder: TemporaryFolder;
  let vault: Vault;
  beforeEach(async () => {
    folder = new TemporaryFolder();
    for (const name of ["vault", "journal"])
      copyFileSync(join(OLD_FILES, `${name}-1.db`), folder.file(`${name}.db`));
    vault = await Vault.open(folder.file("vault.db"), passphrase("correct horse battery staple"));
  });
  afterEach(() => {
    vault[Symbol.dispose]();
    folder[Symbol.dispose]();
  });

  it("opens with all its items, as records", () => {
    using journal = Journal.open(folder.file("journal.db"), vault);
    const items = Object.values(ItemState).flatMap((state): JournalItem[] => journal.itemsIn(state));
    expect(items.map(({ state }) => state)).to.deep.equal([1, 5, 5, 5, 6]);
    for (const item of items) expect(item).to.include({ kind: LeafKind.RECORD, ref: undefined, withdrawn: undefined });
    expect(items.map(({ id }) => journal.details(id).label)).to.deep.equal([
      "test.ndjson#line 4",
      "test.ndjson#line 1",
      "test.ndjson#line 2",
      "test.ndjson#line 3",
      "test.ndjson#line 5",
    ]);
    for (const { recordId } of items.slice(1, 4)) expect(vault.keyOf(recordId!)).to.have.lengthOf(32);
  });
});

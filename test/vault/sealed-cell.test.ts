// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { type Cell, openCell, sealCell } from "../../src/vault/sealed-cell.js";
import { VaultKeys } from "../../src/vault/vault-keys.js";
import { refusal } from "./temporary-vault.js";

const KEY = Buffer.alloc(32, 7);
const CELL: Cell = { table: "patients", column: "details", row: Buffer.alloc(32, 1) };
const bytes = fc.uint8Array({ maxLength: 300 });

describe("a sealed cell", () => {
  it("opens to what was sealed, never twice to the same bytes", () => {
    fc.assert(
      fc.property(bytes, (plaintext) => {
        const sealed = sealCell(KEY, CELL, plaintext);
        expect(Buffer.compare(openCell(KEY, CELL, sealed), plaintext)).to.equal(0);
        expect(Buffer.compare(sealed, sealCell(KEY, CELL, plaintext))).to.not.equal(0);
        expect(sealed.length).to.equal(1 + 12 + plaintext.length + 16);
      }),
    );
  });

  it("refuses a flip of any bit after the format byte, and any cut", () => {
    const sealed = sealCell(KEY, CELL, Buffer.from("thirty-two bytes of a secret key"));
    for (let bit = 8; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      refusal("ERR_VAULT_DAMAGED", () => openCell(KEY, CELL, changed));
    }
    for (let length = 0; length < sealed.length; length++) {
      refusal("ERR_VAULT_DAMAGED", () => openCell(KEY, CELL, sealed.subarray(0, length)));
    }
    refusal("ERR_VAULT_DAMAGED", () => openCell(KEY, CELL, Buffer.concat([sealed, Buffer.of(0)])));
  });

  it("refuses another key, table, column or row", () => {
    const sealed = sealCell(KEY, CELL, Buffer.from("secret"));
    refusal("ERR_VAULT_DAMAGED", () => openCell(Buffer.alloc(32, 8), CELL, sealed));
    const others: Partial<Cell>[] = [
      { table: "patient" },
      { column: "detail" },
      { row: Buffer.alloc(32, 2) },
    ];
    for (const other of others) {
      refusal("ERR_VAULT_DAMAGED", () => openCell(KEY, { ...CELL, ...other }, sealed));
    }
  });

  it("refuses a format it does not know, and what is no bytes at all", () => {
    const sealed = sealCell(KEY, CELL, Buffer.from("secret"));
    const error = refusal("ERR_FORMAT_UNSUPPORTED", () => openCell(KEY, CELL, sealed.with(0, 2)));
    expect(error.values).to.deep.equal({ table: "patients", column: "details", found: 2, format: 1 });
    for (const value of [undefined, null, 7, "text"]) {
      refusal("ERR_VAULT_DAMAGED", () => openCell(KEY, CELL, value));
    }
  });

  it("hides the length of a text to 128 bytes", () => {
    using keys = new VaultKeys(Buffer.alloc(32, 9));
    const length = (text: string): number => keys.sealJson(CELL, text).length;
    expect(length("Li")).to.equal(length("a".repeat(126)));
    expect(length("a".repeat(127))).to.equal(length("Li") + 128);
    expect(keys.openJson(CELL, keys.sealJson(CELL, { name: "李\n " }))).to.deep.equal({ name: "李\n " });
  });
});

describe("a lookup", () => {
  it("is the same for the same parts, and tells apart where one part ends", () => {
    using keys = new VaultKeys(Buffer.alloc(32, 9));
    using others = new VaultKeys(Buffer.alloc(32, 10));
    const hex = (vaultKeys: VaultKeys, ...parts: [string, ...string[]]): string =>
      Buffer.from(vaultKeys.lookup(...parts)).toString("hex");
    expect(hex(keys, "identifier", "ab", "c")).to.equal(hex(keys, "identifier", "ab", "c"));
    const all = [
      hex(keys, "identifier", "ab", "c"),
      hex(keys, "identifier", "a", "bc"),
      hex(keys, "identifier", "abc"),
      hex(keys, "staff", "ab", "c"),
      hex(others, "identifier", "ab", "c"),
    ];
    expect(new Set(all).size).to.equal(all.length);
  });

  it("cannot be made after the keys are closed", () => {
    const keys = new VaultKeys(Buffer.alloc(32, 9));
    const { master } = keys;
    const journal = keys.subKey("journal");
    keys[Symbol.dispose]();
    expect([...master, ...journal].every((byte) => byte === 0)).to.equal(true);
    refusal("ERR_VAULT_LOCKED", () => keys.lookup("identifier", "a"));
    refusal("ERR_VAULT_LOCKED", () => keys.master);
  });
});

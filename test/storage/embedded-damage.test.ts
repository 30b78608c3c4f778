// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cidOfBytes, openEmbeddedStore } from "../../src/storage/index.js";
import { expectCode } from "./expect-code.js";
import { bytesOf, keystreamBytes } from "./keystream.js";
import { TemporaryStore } from "./temporary-store.js";

const MIB = 1_048_576;

describe("embedded store", function () {
  this.timeout(30_000);
  const at = TemporaryStore.forEachTest();

  describe("damage", () => {
    it("in a body in SQLite is found and named", async () => {
      const body = Buffer.from(await keystreamBytes(1000));
      const { cid } = await at.store.put(body);
      body[999]! ^= 1;
      at.sql("UPDATE blob SET body = ? WHERE cid = ?", body, cid);
      const error = await expectCode("ERR_BODY_TAMPERED", () => bytesOf(at.store.get(cid)));
      expect(error.values).to.deep.equal({ cid, block: 0, firstByte: 0, lastByte: 999 });
      const verdict = await at.store.verify(cid);
      expect(verdict).to.deep.include({ ok: false, reason: "tampered" });
      expect(verdict).to.have.property("detail").that.contains("block 0 (bytes 0 to 999)");
    });

    it("in a file is found in its block, after the good blocks before it", async () => {
      const body = await keystreamBytes(3 * MIB + 7);
      const { cid } = await at.store.put(body);
      const damaged = readFileSync(at.fileOf(cid));
      damaged[2 * MIB + 5]! ^= 0x80;
      writeFileSync(at.fileOf(cid), damaged);
      let seen = 0;
      const error = await expectCode("ERR_BODY_TAMPERED", async () => {
        for await (const bytes of at.store.get(cid)) seen += bytes.length;
      });
      expect(seen).to.equal(2 * MIB);
      expect(error.values).to.deep.equal({ cid, block: 2, firstByte: 2 * MIB, lastByte: 3 * MIB - 1 });
      expect(error.message).to.contain("block 2");
      // Blocks that are whole can still be read.
      const range = { offset: 3 * MIB, length: 7 };
      expect(Buffer.compare(await bytesOf(at.store.get(cid, range)), body.subarray(3 * MIB))).to.equal(0);
      await expectCode("ERR_BODY_TAMPERED", () =>
        bytesOf(at.store.get(cid, { offset: 3 * MIB - 1, length: 2 })),
      );
    });

    for (const [name, size] of [
      ["one block", 600_000],
      ["several blocks", 2 * MIB + 7],
    ] as const) {
      it(`in the length of a file of ${name} is found`, async () => {
        const body = await keystreamBytes(size);
        const { cid } = await at.store.put(body);
        for (const length of [0, size - 1, size + 1, size + MIB]) {
          truncateSync(at.fileOf(cid), length);
          await expectCode("ERR_BODY_TAMPERED", () => bytesOf(at.store.get(cid)));
          expect(await at.store.verify(cid)).to.deep.include({ ok: false, reason: "tampered" });
          await at.store.put(body);
          expect(await at.store.verify(cid), "repaired by another put").to.deep.equal({ ok: true, size });
        }
      });
    }

    it("in the list of blocks, or in the size, is found", async () => {
      const size = 2 * MIB + 7;
      const body = await keystreamBytes(size);
      const { cid } = await at.store.put(body);
      const statements = [
        "UPDATE blob SET blocks = zeroblob(96)",
        "UPDATE blob SET blocks = zeroblob(64)",
        "UPDATE blob SET blocks = NULL",
        "UPDATE blob SET size = size - 1",
        "UPDATE blob SET size = 9007199254740991",
        "UPDATE blob SET size = 0",
        "UPDATE blob SET body = zeroblob(10)",
      ];
      for (const statement of statements) {
        at.sql(statement);
        await expectCode("ERR_BODY_TAMPERED", () => bytesOf(at.store.get(cid)));
        await at.store.put(body);
        expect(await at.store.verify(cid), statement).to.deep.equal({ ok: true, size });
      }
    });

    it("that was made in a file and in its list of blocks alike is found", async () => {
      const body = await keystreamBytes(2 * MIB + 7);
      const { cid } = await at.store.put(body);
      const forged = Buffer.from(body);
      forged[5]! ^= 1;
      writeFileSync(at.fileOf(cid), forged);
      at.sql("UPDATE blob SET blocks = ?", cidOfBytes(forged).blocks);
      const error = await expectCode("ERR_BODY_TAMPERED", () => bytesOf(at.store.get(cid)));
      expect(error.message).to.contain("list of block digests");
    });

    it("that swaps two bodies is found", async () => {
      const a = await at.store.put(Buffer.from("a"));
      const b = await at.store.put(Buffer.from("b"));
      at.sql("UPDATE blob SET body = ? WHERE cid = ?", Buffer.from("b"), a.cid);
      expect(await at.store.verify(a.cid)).to.deep.include({ ok: false, reason: "tampered" });
      expect(await at.store.verify(b.cid)).to.deep.equal({ ok: true, size: 1 });
    });

    it("of a body in SQLite is repaired by putting it again", async () => {
      const { cid } = await at.store.put(Buffer.from("abc"));
      at.sql("UPDATE blob SET body = zeroblob(3), size = 4");
      await at.store.put(Buffer.from("abc"));
      expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size: 3 });
      expect(await Array.fromAsync(at.store.list())).to.deep.equal([{ cid, size: 3 }]);
    });

    it("that removes a file makes the body missing", async () => {
      const { cid } = await at.store.put(await keystreamBytes(MIB + 1));
      unlinkSync(at.fileOf(cid));
      expect(await at.store.has(cid)).to.equal(false);
      expect(await at.store.verify(cid)).to.deep.include({ ok: false, reason: "missing" });
      await expectCode("ERR_BODY_MISSING", () => bytesOf(at.store.get(cid)));
    });

    it("of the database file is ERR_STORE_FAILED", async () => {
      await at.store[Symbol.asyncDispose]();
      writeFileSync(
        join(at.folder, "store.sqlite"),
        "this is no database, though it is long enough for a header",
      );
      await expectCode("ERR_STORE_FAILED", () => openEmbeddedStore(at.folder));
    });
  });
});

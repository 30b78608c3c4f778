// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { toHex } from "../../src/crypto/bytes.js";
import type { ContentKey } from "../../src/vault/index.js";
import { refusal, rejection, TemporaryVault } from "./temporary-vault.js";

function someKeys(count: number): ContentKey[] {
  return Array.from({ length: count }, () => ({ recordId: randomBytes(16), contentKey: randomBytes(32) }));
}

describe("content keys", () => {
  let made: TemporaryVault;
  before(async () => {
    made = await TemporaryVault.make();
  });
  after(() => made[Symbol.dispose]());

  const expectAll = (keys: ContentKey[]): void => {
    for (const { recordId, contentKey } of keys) {
      expect(toHex(made.vault.keyOf(recordId))).to.equal(toHex(contentKey));
    }
  };
  const wrapped = (recordId: Uint8Array): Buffer =>
    made.tamper((database) => {
      const row = database.prepare("SELECT wrapped FROM content_keys WHERE record_id = ?").get(recordId);
      return Buffer.from(row!["wrapped"] as Uint8Array);
    });

  it("come back as they were put", () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.array(key, { maxLength: 8 }), (contentKeys) => {
        const keys = contentKeys.map((contentKey) => ({ recordId: randomBytes(16), contentKey }));
        made.vault.putKeys(keys);
        expectAll(keys);
      }),
      { numRuns: 50 },
    );
  });

  it("may be put twice, but a record's key never changes, and a refused call stores nothing", () => {
    const keys = someKeys(2);
    made.vault.putKeys(keys);
    made.vault.putKeys(keys);
    const [fresh, known] = [someKeys(1)[0]!, keys[0]!];
    const error = refusal("ERR_USAGE", () =>
      made.vault.putKeys([fresh, { ...known, contentKey: randomBytes(32) }]),
    );
    expect(error.values).to.deep.equal({ recordId: toHex(known.recordId) });
    expectAll(keys);
    refusal("ERR_KEY_MISSING", () => made.vault.keyOf(fresh.recordId));
  });

  it("are listed by record, the oldest first, over more than a page, and with what became of them", () => {
    const before = [...made.vault.records()].length;
    const keys = someKeys(1_203);
    made.vault.putKeys(keys);
    made.vault.eraseKeys([keys[3]!.recordId, keys[1_100]!.recordId]);
    const listed = [...made.vault.records()].slice(before);
    expect(listed.map(({ recordId }) => toHex(recordId))).to.deep.equal(
      keys.map(({ recordId }) => toHex(recordId)),
    );
    expect(listed.flatMap(({ erased }, place) => (erased ? [place] : []))).to.deep.equal([3, 1_100]);
  });

  it("have 32 bytes, and record ids 16", () => {
    const { recordId, contentKey } = someKeys(1)[0]!;
    refusal("ERR_USAGE", () => made.vault.putKeys([{ recordId: recordId.subarray(1), contentKey }]));
    refusal("ERR_USAGE", () => made.vault.putKeys([{ recordId, contentKey: contentKey.subarray(1) }]));
    refusal("ERR_USAGE", () => made.vault.keyOf(contentKey));
    refusal("ERR_USAGE", () => made.vault.eraseKey(contentKey));
  });

  it("are refused when two were swapped or one was changed", () => {
    const [a, b, c] = someKeys(3) as [ContentKey, ContentKey, ContentKey];
    made.vault.putKeys([a, b, c]);
    const [wrappedA, wrappedB, wrappedC] = [a, b, c].map(({ recordId }) => wrapped(recordId)) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    wrappedC[40]! ^= 1;
    made.tamper((database) => {
      const write = database.prepare("UPDATE content_keys SET wrapped = ? WHERE record_id = ?");
      write.run(wrappedB, a.recordId);
      write.run(wrappedA, b.recordId);
      write.run(wrappedC, c.recordId);
    });
    for (const { recordId } of [a, b, c]) refusal("ERR_VAULT_DAMAGED", () => made.vault.keyOf(recordId));
  });

  it("once erased are gone for good, and the others stay", () => {
    const keys = someKeys(5);
    made.vault.putKeys(keys);
    const [gone, ...rest] = keys as [ContentKey, ...ContentKey[]];
    made.vault.eraseKey(gone.recordId);
    made.vault.eraseKey(gone.recordId);
    const error = refusal("ERR_KEY_ERASED", () => made.vault.keyOf(gone.recordId));
    expect(error.values).to.deep.equal({ recordId: toHex(gone.recordId) });
    refusal("ERR_KEY_ERASED", () => made.vault.putKeys([gone]));
    expectAll(rest);
  });

  it("are erased all or none", () => {
    const [known, unknown] = someKeys(2) as [ContentKey, ContentKey];
    made.vault.putKeys([known]);
    refusal("ERR_KEY_MISSING", () => made.vault.eraseKeys([known.recordId, unknown.recordId]));
    expectAll([known]);
  });

  it("leave no byte of their wrapping in the files, wherever they lay", () => {
    const keys = someKeys(3_000);
    for (let from = 0; from < keys.length; from += 250) made.vault.putKeys(keys.slice(from, from + 250));
    const victims = keys.filter((_, place) => place % 7 === 0);
    const traces = victims.map(({ recordId }) => wrapped(recordId).subarray(1));
    const before = made.bytes();
    expect(traces.every((trace) => before.includes(trace))).to.equal(true);
    made.vault.eraseKeys(victims.map(({ recordId }) => recordId));
    const after = made.bytes();
    // Eight bytes at the start, in the middle and at the end: no part survives.
    const parts = traces.flatMap((trace) => [0, 26, 52].map((at) => trace.subarray(at, at + 8)));
    expect(parts.filter((part) => after.includes(part))).to.deep.equal([]);
    expectAll(keys.filter((_, place) => place % 7 !== 0).slice(0, 100));
  });

  it("survive a rotation of the key-encryption key, whose old one is gone from the files", async () => {
    using own = await TemporaryVault.make();
    const keys = someKeys(20);
    own.vault.putKeys(keys);
    own.vault.eraseKey(keys[0]!.recordId);
    const read = (sql: string): Record<string, unknown>[] =>
      own.tamper((database) => database.prepare(sql).all());
    const oldKek = Buffer.from(read("SELECT wrapped FROM keks")[0]!["wrapped"] as Uint8Array);
    expect(own.bytes().includes(oldKek)).to.equal(true);
    expect(await own.vault.rotateKek()).to.equal(19);
    expect(read("SELECT kek_id FROM keks").map((row) => row["kek_id"])).to.deep.equal([2]);
    expect(own.bytes().includes(oldKek)).to.equal(false);
    for (const { recordId, contentKey } of keys.slice(1)) {
      expect(toHex(own.vault.keyOf(recordId))).to.equal(toHex(contentKey));
    }
    refusal("ERR_KEY_ERASED", () => own.vault.keyOf(keys[0]!.recordId));
    const later = someKeys(1);
    own.vault.putKeys(later);
    expect(await own.vault.rotateKek()).to.equal(20);
    expect(toHex(own.vault.keyOf(later[0]!.recordId))).to.equal(toHex(later[0]!.contentKey));
  });

  it("make a rotation stop, with nothing lost, at a damaged one", async () => {
    using own = await TemporaryVault.make();
    const keys = someKeys(3);
    own.vault.putKeys(keys);
    own.tamper((database) => database.exec("UPDATE content_keys SET wrapped = zeroblob(61) WHERE slot = 3"));
    await rejection("ERR_FORMAT_UNSUPPORTED", own.vault.rotateKek());
    expect(toHex(own.vault.keyOf(keys[0]!.recordId))).to.equal(toHex(keys[0]!.contentKey));
    own.tamper((database) => database.exec("DELETE FROM content_keys WHERE slot = 3"));
    expect(await own.vault.rotateKek()).to.equal(2);
    expect(toHex(own.vault.keyOf(keys[1]!.recordId))).to.equal(toHex(keys[1]!.contentKey));
  });
});

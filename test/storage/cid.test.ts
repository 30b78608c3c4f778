// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { createHash } from "node:crypto";
import {
  CidBuilder,
  cidFromBytes,
  cidOfBytes,
  cidOfDigest,
  cidToBytes,
  parseCid,
} from "../../src/storage/cid.js";
import { rootOfBlocks, UNIXFS_V1_2025, type DagLayout } from "../../src/storage/unixfs-dag.js";
import recorded from "../vectors/kubo-cids.json" with { type: "json" };
import { expectCode, expectCodeSync } from "./expect-code.js";
import { keystream } from "./keystream.js";

const MIB = 1_048_576;
const DAG_PB = "bafybeieqc3pjikwomq6hf42kolckph4zo5q2adels37kqrdadwxelauv64";
const RAW = "bafkreih3swvjrvxgywbhuv7mc64xrvsh7tab3ggdk636msmjv5lthhu2ym";

async function cidOfStream(size: number, layout?: DagLayout): Promise<string> {
  const builder = new CidBuilder(layout);
  for await (const bytes of keystream(size, 65_536)) builder.update(bytes);
  return builder.finish().cid;
}

describe("CID builder", function () {
  this.timeout(60_000);

  for (const { size, cid } of recorded.vectors) {
    it(`gives Kubo's CID for ${size} bytes`, async () => {
      expect(await cidOfStream(size)).to.equal(cid);
    });
  }

  it("gives Kubo's CIDs for trees of up to five levels", async () => {
    for (const { chunkSize, maxLinks, size, cid } of recorded.smallLayouts.vectors) {
      expect(await cidOfStream(size, { chunkSize, maxLinks }), `${size} bytes by ${chunkSize}`).to.equal(cid);
    }
  });

  it("does not depend on how the body is cut into pieces", () => {
    const layout = { chunkSize: 16, maxLinks: 3 };
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 12 }), (pieces) => {
        const whole = Buffer.concat(pieces);
        const inPieces = new CidBuilder(layout);
        for (const piece of pieces) inPieces.update(piece);
        const built = inPieces.finish();
        expect(built).to.deep.equal(new CidBuilder(layout).update(whole).finish());
        expect(Buffer.from(built.sha256)).to.deep.equal(createHash("sha256").update(whole).digest());
        expect(built.size).to.equal(whole.length);
        expect(rootOfBlocks(built.blocks, built.size, layout).toString()).to.equal(built.cid);
      }),
    );
  });

  it("names a body of one block by the digest of the body", () => {
    const { cid, sha256, blocks } = cidOfBytes(Buffer.alloc(MIB, 7));
    expect(parseCid(cid)).to.deep.equal({ cid, isRaw: true, sha256 });
    expect(cidOfDigest(sha256)).to.equal(cid);
    expect(blocks).to.deep.equal(sha256);
  });

  it("keeps the digest of every block of a longer body", () => {
    const body = Buffer.concat([Buffer.alloc(MIB, 1), Buffer.alloc(MIB, 2), Buffer.alloc(5, 3)]);
    const expected = [0, 1, 2].map((i) =>
      createHash("sha256")
        .update(body.subarray(i * MIB, (i + 1) * MIB))
        .digest(),
    );
    expect(Buffer.from(cidOfBytes(body).blocks)).to.deep.equal(Buffer.concat(expected));
  });

  it("refuses a digest list that does not fit the size", () => {
    expect(() => rootOfBlocks(new Uint8Array(64), 2 * MIB + 1, UNIXFS_V1_2025)).to.throw(RangeError);
  });
});

describe("CID text and bytes", () => {
  it("goes to bytes and back", () => {
    for (const cid of [RAW, DAG_PB]) {
      expect(cidToBytes(cid)).to.have.length(36);
      expect(cidFromBytes(cidToBytes(cid))).to.equal(cid);
    }
  });

  const wrong = {
    nothing: "",
    "a path": "../../etc/passwd",
    "a CID with a path behind it": `${RAW}/../x`,
    "upper case": RAW.toUpperCase(),
    "another base": "zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA",
    CIDv0: "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPBdG",
    "another codec": "bagaaierasords4njcts6vs7qvdjfcvgnume4hqohf65zsfguprqphs3icwea",
    "a cut CID": RAW.slice(0, -1),
    "a null byte": `${RAW}\0`,
  };
  for (const [name, text] of Object.entries(wrong)) {
    it(`refuses ${name}`, () => {
      expectCodeSync("ERR_USAGE", () => parseCid(text));
    });
  }

  it("refuses bytes that are cut, extended or not a CID", async () => {
    const bytes = cidToBytes(RAW);
    for (const bad of [bytes.subarray(0, 35), Buffer.concat([bytes, Buffer.of(0)]), new Uint8Array()]) {
      await expectCode("ERR_USAGE", async () => cidFromBytes(bad));
    }
  });
});

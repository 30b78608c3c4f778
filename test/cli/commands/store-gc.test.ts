// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { hash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { encodeBatchManifest, sealBytes, toHex } from "../../../src/crypto/index.js";
import { Journal } from "../../../src/records/index.js";
import { observation, reference } from "../observations.js";
import { TwoReplicas } from "../two-replicas.js";

const HOUR = 3_600;

describe("store gc", function () {
  this.timeout(120_000);
  const member = TwoReplicas.forAllTests();

  /** What an ingest leaves that is killed between its commits: a key and a body that nothing names. */
  const orphan = async (): Promise<string> => {
    const [recordId, contentKey] = [randomBytes(16), randomBytes(32)];
    const body = Buffer.from("never journaled");
    const manifest = {
      ...{ format: 1, sourceKey: "x", label: "x", mediaType: "text/plain", size: body.length },
      sha256: toHex(hash("sha256", body, "buffer")),
      receivedAt: "2027-01-01T00:00:00.000Z",
    };
    {
      using vault = await member.a.vault();
      vault.putKeys([{ recordId, contentKey }]);
    }
    const sealed = sealBytes({ manifest, body, contentKey, memberId: member.a.id, recordId });
    await member.inReplica("r1", (store) => store.put(sealed));
    return (await member.inReplica("r2", (store) => store.put(sealed))).cid;
  };
  const marks = () => member.a.path("journal.db.orphans.json");
  /** As if the last run had been so many hours ago. */
  const age = (hours: number): void => {
    const file = JSON.parse(readFileSync(marks(), "utf8")) as { seen: Record<string, number> };
    for (const cid of Object.keys(file.seen)) file.seen[cid]! -= hours * HOUR;
    writeFileSync(marks(), JSON.stringify(file));
  };

  it("removes what a crashed ingest left once a day has passed since it was first seen, from each replica", async () => {
    const cid = await orphan();
    const manifest = encodeBatchManifest({
      ...{ memberId: member.a.id, firstIndex: 900 },
      entries: [{ leafHash: toHex(randomBytes(32)), cid }],
    });
    const draft = (await member.inReplica("r1", (store) => store.put(manifest))).cid;
    const before = (await member.held("r1")).filter((one) => one !== cid && one !== draft);
    expect((await member.a.done("store", "gc", "--json")).json).to.include({ orphans: 0, young: 2 });
    age(23);
    expect((await member.a.done("store", "gc", "--json")).json).to.include({ orphans: 0, young: 2 });
    age(1.01);
    const dry = (await member.a.done("store", "gc", "--dry-run", "--json")).json;
    expect(dry).to.include({ orphans: 2, dryRun: true });
    expect(await member.held("r1")).to.include.members([cid, draft]);
    expect((await member.a.done("store", "gc", "--json")).json).to.include({ orphans: 2, young: 0 });
    expect(await member.held("r1")).to.deep.equal(before);
    expect(await member.held("r2")).to.deep.equal(before);
    await member.a.done("verify", "--log");
  });

  it("leaves alone what may be another member's", async () => {
    const foreign = encodeBatchManifest({
      ...{ memberId: member.a.id + 1, firstIndex: 1 },
      entries: [{ leafHash: toHex(randomBytes(32)), cid: await member.cidOf(1) }],
    });
    const { cid } = await member.inReplica("r1", (store) => store.put(foreign));
    const other = await member.inReplica("r1", (store) => store.put(randomBytes(600)));
    await member.a.done("store", "gc");
    if (existsSync(marks())) age(48);
    expect((await member.a.done("store", "gc", "--json")).json).to.include({ orphans: 0, unknown: 2 });
    for (const one of [cid, other.cid]) {
      expect(await member.held("r1")).to.include(one);
      await member.inReplica("r1", (store) => store.delete(one));
    }
  });

  it("keeps what waits, what was refused, and every body that the journal came to name since", async () => {
    writeFileSync(member.a.path("waiting.ndjson"), `${observation("w1", "nobody")}\n`);
    await member.a.run("ingest", member.a.path("waiting.ndjson"));
    const cid = await orphan();
    await member.a.done("store", "gc");
    age(48);
    // As the journal's commit of the same intake: the row comes after the body.
    await member.journal((opened) => {
      const row = opened.itemAt(1)!;
      opened.database.run(
        `INSERT INTO items (item_mac, source_mac, state, record_id, cid, content_digest, details, recorded_day,
           received_at) SELECT ?, ?, 1, ?, ?, content_digest, details, recorded_day, received_at
         FROM items WHERE id = ?`,
        ...[randomBytes(32), randomBytes(32), randomBytes(16), cid, row.id],
      );
    });
    expect((await member.a.done("store", "gc", "--json")).json).to.include({ orphans: 0, young: 0 });
    expect(await member.held("r1")).to.include(cid);
    await member.journal((opened) => opened.database.run("DELETE FROM items WHERE cid = ?", cid));
    await member.a.done("patient", "enrol", "--identifier", reference("nobody"));
    await member.a.done("retry");
    await member.a.done("verify", "--log");
    for (const name of ["r1", "r2"]) await member.inReplica(name, (store) => store.delete(cid));
  });

  it("is refused while an ingest runs, with a journal older than the chain, and without a replica", async () => {
    using vault = await member.a.vault();
    using opened = Journal.open(member.a.path("journal.db"), vault);
    {
      using _ = opened.lock();
      expect((await member.a.refused(1, "ERR_JOURNAL_LOCKED", "store", "gc")).retryable).to.equal(true);
    }
    const batch = opened.batches().at(-1)!;
    opened.database.run("UPDATE batches SET count = count - 1 WHERE id = ?", batch.id);
    await member.a.refused(1, "ERR_CHAIN_MISMATCH", "store", "gc");
    opened.database.run("UPDATE batches SET count = count + 1 WHERE id = ?", batch.id);
    const before = await member.held("r1");
    await member.without("r2", () => member.a.refused(1, "ERR_STORE_FAILED", "store", "gc"));
    expect(await member.held("r1")).to.deep.equal(before);
    await member.a.refused(2, "ERR_USAGE", "store", "gc", "--older-than", "0");
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { hash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Chartseal } from "../../../src/chartseal.js";
import { encodeBatchManifest, sealBytes, toHex } from "../../../src/crypto/index.js";
import { collectGarbage } from "../../../src/durability/index.js";
import { ItemState, Journal } from "../../../src/records/index.js";
import { passphrase } from "../../../src/vault/index.js";
import { PASSPHRASE } from "../consortium.js";
import { observation, reference } from "../observations.js";
import { TwoReplicas } from "../two-replicas.js";

const HOUR = 3_600;

interface Orphan {
  cid: string;
  contentDigest: Uint8Array;
  recordId: Uint8Array;
}

describe("store gc", function () {
  this.timeout(120_000);
  const member = TwoReplicas.forAllTests();

  /** What an ingest leaves that is killed between its commits: a key and a body that nothing names. */
  const orphan = async (): Promise<Orphan> => {
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
    const { cid, sha256 } = await member.inReplica("r2", (store) => store.put(sealed));
    return { cid, contentDigest: sha256, recordId };
  };
  const marks = () => member.a.path("journal.db.orphans.json");
  /** As if the last run had been so many hours ago. */
  const age = (hours: number): void => {
    const file = JSON.parse(readFileSync(marks(), "utf8")) as { seen: Record<string, number> };
    for (const cid of Object.keys(file.seen)) file.seen[cid]! -= hours * HOUR;
    writeFileSync(marks(), JSON.stringify(file));
  };

  it("removes what a crashed ingest left once a day has passed since it was first seen, from each replica", async () => {
    const { cid } = await orphan();
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

  /** The journal's commit of the same intake: the row comes after the body. */
  const name = (journal: Journal, sealed: Orphan): void => {
    journal.add({
      ...{ itemMac: randomBytes(32), sourceMac: randomBytes(32), state: ItemState.WAITING, sealed },
      details: { sourceKey: "x", label: "x", path: "", mediaType: "text/plain", size: 15 },
      ...{ recordedDay: 20_000, receivedAt: 1_800_000_000 },
    });
  };

  it("keeps what waits, what was refused, and what the journal came to name since", async () => {
    writeFileSync(member.a.path("waiting.ndjson"), `${observation("w1", "nobody")}\n`);
    await member.a.run("ingest", member.a.path("waiting.ndjson"));
    const late = await orphan();
    await member.a.done("store", "gc");
    age(48);
    await member.journal((opened) => name(opened, late));
    expect((await member.a.done("store", "gc", "--json")).json).to.include({ orphans: 0, young: 0 });
    expect(await member.held("r1")).to.include(late.cid);
    await member.a.done("patient", "enrol", "--identifier", reference("nobody"));
    await member.a.done("retry");
    await member.a.done("verify", "--log");
  });

  it("keeps a body whose row came while it was looking", async () => {
    const [first, second] = [await orphan(), await orphan()];
    await using chartseal = await Chartseal.open(member.a.config, { unlock: passphrase(PASSPHRASE) });
    using other = await member.a.vault();
    using elsewhere = Journal.open(member.a.path("journal.db"), other);
    let named = false;
    const garbage = await collectGarbage(chartseal, {
      age: HOUR,
      seen: new Map([first, second].map(({ cid }) => [cid, 0])),
      onProgress() {
        if (!named) name(elsewhere, second);
        named = true;
      },
    });
    expect(garbage).to.include({ orphans: 1 });
    expect(await member.held("r1"))
      .to.include(second.cid)
      .and.not.to.include(first.cid);
  });

  it("removes nothing when somebody altered the journal's rows, or took some away", async () => {
    const before = await member.held("r1");
    const sql = async (...statements: string[]) =>
      await member.journal((opened) => {
        for (const statement of statements) opened.database.exec(statement);
      });
    await sql("UPDATE items SET erased = 1 WHERE log_index = 1");
    await member.a.refused(1, "ERR_STORE_FAILED", "store", "gc");
    await sql("UPDATE items SET erased = 0 WHERE log_index = 1");
    await sql(
      "CREATE TABLE kept AS SELECT * FROM items WHERE log_index = 2",
      "DELETE FROM items WHERE log_index = 2",
    );
    const error = await member.a.refused(1, "ERR_STORE_FAILED", "store", "gc");
    expect(error.message).to.contain("2 of the 3 entries from 1 on");
    await sql("INSERT INTO items SELECT * FROM kept", "DROP TABLE kept");
    await member.a.done("store", "gc");
    expect(await member.held("r1")).to.deep.equal(before);
  });

  it("is refused while an ingest runs, with a journal older than the chain, and without a replica", async () => {
    const journal = member.a.path("journal.db");
    {
      using vault = await member.a.vault();
      using opened = Journal.open(journal, vault);
      using _ = opened.lock();
      expect((await member.a.refused(1, "ERR_JOURNAL_LOCKED", "store", "gc")).retryable).to.equal(true);
    }
    await member.journal((opened) => opened.copyTo(`${journal}.older`));
    writeFileSync(member.a.path("more.ndjson"), `${observation("m1", "ann")}\n`);
    await member.a.done("ingest", member.a.path("more.ndjson"));
    renameSync(journal, `${journal}.newest`);
    renameSync(`${journal}.older`, journal);
    await member.a.refused(1, "ERR_CHAIN_MISMATCH", "store", "gc");
    renameSync(`${journal}.newest`, journal);
    const before = await member.held("r1");
    await member.without("r2", () => member.a.refused(1, "ERR_STORE_FAILED", "store", "gc"));
    expect(await member.held("r1")).to.deep.equal(before);
    await member.a.refused(2, "ERR_USAGE", "store", "gc", "--older-than", "0");
  });
});

// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import { ingest, folderSource, ndjsonSource, type Source } from "../../src/ingest/index.js";
import { ItemState, type SourceItem } from "../../src/records/index.js";
import { enrol, enrolAs, type Consortium } from "../support/hospital.js";
import { hospitalForEach } from "../support/hospital-for-each.js";
import { allItems, checkLog } from "../support/log-check.js";
import { linesSource, observation, observations } from "../support/observations.js";

/** Items that become durable together. */
const GROUP = 64;

describe("An item that cannot be anchored at once", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;
  hospitalForEach((own) => ({ consortium, hospital } = own));

  it("waits while its patient is unknown, and is anchored once he is enrolled", async () => {
    await enrol(hospital, "p");
    const lines = [...observations("p", 2), ...observations("q", 3, 10)];
    const run = await hospital.ingest(linesSource(lines));
    expect(run).to.include({ sealed: 2, waiting: 3, anchored: 2 });
    expect(await hospital.retry()).to.include({ anchored: 0 });
    await enrolAs(hospital, { system: "fhir:Patient", value: "q" });
    expect(await hospital.retry()).to.include({ anchored: 3 });
    expect(await checkLog(hospital)).to.have.lengthOf(5);
  });

  it("waits when it names an identifier by half, and stops nothing", async () => {
    await enrol(hospital, "p");
    const half = (identifier: object) =>
      JSON.stringify({
        resourceType: "Patient",
        id: `x${JSON.stringify(identifier).length}`,
        identifier: [identifier],
      });
    const lines = [
      half({ value: "12345" }),
      half({ system: " ", value: "12" }),
      half({ system: "urn:a", value: " " }),
    ];
    const run = await hospital.ingest(linesSource([...lines, ...observations("p", 1)]));
    expect(run).to.include({ sealed: 1, waiting: 3, dead: 0, anchored: 1 });
  });

  it("is a dead letter with its reason, and the rest goes on; retry with other rules takes it", async () => {
    await enrol(hospital, "p", "q");
    const ambiguous = JSON.stringify({
      ...JSON.parse(observation({ id: 50, patient: "p" })),
      performer: [{ reference: "Patient/q" }],
    });
    const lines = [
      ...observations("p", 3),
      "{ not json",
      ambiguous,
      '{"a":1,"a":2}',
      ...observations("q", 3, 10),
    ];
    const run = await hospital.ingest(linesSource(lines));
    expect(run).to.include({ read: 9, sealed: 6, dead: 3, anchored: 6 });
    expect(run.refused.map(({ label, error }) => [label, error.code])).to.deep.equal([
      ["test.ndjson#line 4", "ERR_JSON_INVALID"],
      ["test.ndjson#line 5", "ERR_PATIENT_AMBIGUOUS"],
      ["test.ndjson#line 6", "ERR_JSON_INVALID"],
    ]);
    expect(dead(hospital)).to.have.lengthOf(3);
    await hospital.ingest(linesSource(lines));
    expect(dead(hospital), "the same again").to.have.lengthOf(3);

    const rule = { path: "**", patient: { system: "fhir:Patient", value: "q" } };
    const rules = { rules: [rule], administrative: [], bases: [] };
    expect(await hospital.retry({ rules })).to.include({ anchored: 0 });
    expect(await hospital.retry({ rules, dead: true })).to.include({ anchored: 1 });
    expect(dead(hospital).map(({ reason }) => reason)).to.deep.equal([
      "ERR_JSON_INVALID",
      "ERR_JSON_INVALID",
    ]);
    await checkLog(hospital);
  });

  it("leaves the dead letters once the source is put right", async () => {
    await enrol(hospital, "p");
    await hospital.ingest(linesSource(["{ not json", ...observations("p", 1)]));
    expect(dead(hospital)).to.have.lengthOf(1);
    await hospital.ingest(linesSource([observation({ id: 7, patient: "p" }), ...observations("p", 1)]));
    expect(dead(hospital)).to.have.lengthOf(0);
  });

  it("is a dead letter when its source changes while it is read, and taken by the next run", async () => {
    await enrol(hospital, "p");
    const changing = changingSource();
    const run = await hospital.ingest(changing);
    expect(run).to.include({ sealed: 1, dead: 1, anchored: 1 });
    expect(run.refused[0]!.error.code).to.equal("ERR_SOURCE_CHANGED");
    expect(await hospital.ingest(changing)).to.include({ known: 1, sealed: 1, dead: 0, anchored: 1 });
    expect(dead(hospital)).to.have.lengthOf(0);
    await checkLog(hospital);
  });

  it("that cannot be read does not stop the other files of a folder", async () => {
    const [patientId] = await enrol(hospital, "p");
    expect(patientId).to.match(/^0x/);
    const folder = join(consortium.folder, `files${hospital.memberId}`);
    mkdirSync(folder);
    for (const name of ["a.json", "b.json", "c.json"]) {
      writeFileSync(join(folder, name), observation({ id: name.slice(0, 1), patient: "p" }));
    }
    writeFileSync(join(folder, "b.json"), "{");
    chmodSync(join(folder, "a.json"), 0o600);
    expect(await hospital.ingest(folderSource(folder))).to.include({ sealed: 2, dead: 1, anchored: 2 });
  });

  it("stops a run that has no space left cleanly; the next run goes on", async () => {
    await enrol(hospital, "p");
    const { vault, journal, chain, memberId, store } = hospital;
    let groups = 0;
    const full = Object.assign(Object.create(store) as typeof store, {
      put: store.put.bind(store),
      putMany: (bodies: Uint8Array[]) => {
        if (++groups === 2) journal.database.exec("PRAGMA max_page_count = 1"); // SQLite then says that the disk is full
        return store.putMany(bodies);
      },
    });
    const parts = { memberId, vault, store: full, journal, chain, writer: hospital.writer("operator") };
    const lines = observations("p", 600);
    const error: unknown = await ingest(parts, linesSource(lines), { batchItems: 100 }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.include({ code: "ERR_STORE_FULL", retryable: true });
    journal.database.exec("PRAGMA max_page_count = 1000000");

    const run = await hospital.ingest(linesSource(lines));
    expect(run.known).to.equal(GROUP);
    expect(run.failure).to.equal(undefined);
    expect(await checkLog(hospital)).to.have.lengthOf(600);
  });

  it("is anchored while its source is silent", async () => {
    await enrol(hospital, "p");
    let anchored: () => void = () => {};
    const seen = new Promise<void>((resolve) => (anchored = resolve));
    const silent = ndjsonSource(
      (async function* () {
        yield Buffer.from(`${observations("p", 2).join("\n")}\n`);
        await seen;
      })(),
    );
    const run = await hospital.ingest(silent, {
      batchWait: 1,
      onProgress: (progress) => {
        if (progress.anchored === 2) anchored();
      },
    });
    expect(run.batches.map((batch) => batch.count)).to.deep.equal([2]);
  });

  it("stays safe when the run is stopped by its signal", async () => {
    await enrol(hospital, "p");
    const stop = new AbortController();
    const lines = observations("p", 600);
    const stopped: unknown = await hospital
      .ingest(linesSource(lines), {
        signal: stop.signal,
        onProgress: ({ sealed }) => sealed > 0 && stop.abort("enough"),
      })
      .catch((reason: unknown) => reason);
    expect(stopped).to.equal("enough");
    expect(allItems(hospital).length).to.equal(GROUP);
    await hospital.ingest(linesSource(lines));
    expect(await checkLog(hospital)).to.have.lengthOf(600);
  });

  it("is told from a wrong option", async () => {
    for (const options of [
      { batchItems: 0 },
      { batchItems: 10_001 },
      { batchItems: 1.5 },
      { batchWait: Number.NaN },
    ]) {
      const error: unknown = await hospital
        .ingest(linesSource([]), options)
        .catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: "ERR_USAGE" });
    }
  });
});

function dead(hospital: Chartseal) {
  return hospital.journal.itemsIn(ItemState.DEAD);
}

/** Its first item is another one each time it is read, but only in the first run. */
function changingSource(): Source {
  let reads = 0;
  const lines = [observation({ id: 1, patient: "p" }), observation({ id: 2, patient: "p" })];
  return {
    totalBytes: undefined,
    bytesRead: 0,
    async *[Symbol.asyncIterator]() {
      for await (const item of linesSource(lines)) {
        const { bytes, ...rest } = item as SourceItem;
        const first = rest.sourceKey === "Observation/1";
        async function* open() {
          yield first && reads++ === 1 ? Buffer.alloc(bytes!.length, 0x20) : bytes!;
        }
        yield { ...rest, open };
      }
    },
  };
}

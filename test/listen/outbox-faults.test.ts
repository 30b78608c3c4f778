// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import type { Listener, ListenOptions } from "../../src/listen/index.js";
import { ItemState } from "../../src/records/index.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
import { allItems } from "../support/log-check.js";
import { observation, observations } from "../support/observations.js";

/** A user of no rights. */
const NOBODY = 65_534;
/** 251 bytes: with the ending of a file of reasons more than a name may have. */
const LONG_NAME = `${"病".repeat(82)}.json`;

describe("A file of an outbox that cannot be read or moved", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;
  let folder: string;
  let count = 0;
  let refused: { code: string; later: boolean }[];
  let told: () => void;
  let seen: Promise<void>;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    hospital = await openHospital(await consortium.hospital(`x${++count}`));
    await enrol(hospital, "p");
    folder = mkdtempSync(join(tmpdir(), "chartseal-outbox-"));
    refused = [];
    ({ promise: seen, resolve: told } = Promise.withResolvers<void>());
  });
  afterEach(async () => {
    await hospital[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  async function listening(options: Partial<ListenOptions> = {}): Promise<Listener> {
    const onRefused: ListenOptions["onRefused"] = ({ code, later }) => {
      refused.push({ code, later });
      told();
    };
    return await hospital.listen({ outbox: { folder }, batchWait: 1, onRefused, ...options });
  }

  /** Renamed into place, so that it is taken at the next look but one. */
  async function put(path: string, content = observation({ id: path.length, patient: "p" })): Promise<void> {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    const begun = join(dirname(file), ".begun");
    writeFileSync(begun, content);
    renameSync(begun, file);
  }

  const there = (path: string) => existsSync(join(folder, path));

  async function until(path: string): Promise<void> {
    while (!there(path)) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Others are taken, look after look. */
  async function expectService(): Promise<void> {
    for (const name of ["after.json", "after that.json"]) {
      await put(name);
      await until(`done/${name}`);
    }
  }

  it("stays when a file of done/ is in the way of its folder, and is moved once that is gone", async () => {
    await using listener = await listening();
    writeFileSync(join(folder, "done/ward"), "in the way");
    await put("ward/a.json");
    await seen;
    await expectService();
    expect(refused).to.deep.equal([{ code: "ERR_USAGE", later: true }]);
    expect(there("ward/a.json")).to.equal(true);
    rmSync(join(folder, "done/ward"));
    await until("done/ward/a.json");
    expect(listener.state(), "it was durable all the time").to.include({ sealed: 3, known: 0 });
  });

  it("is moved to failed/ under a shorter name when its own leaves no room for the reasons'", async () => {
    await using _ = await listening();
    for (const number of [0, 1]) {
      await put(LONG_NAME, "{ secret");
      while (readdirSync(join(folder, "failed")).length < 2 * number + 2 || there(LONG_NAME))
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await expectService();
    const names = readdirSync(join(folder, "failed"));
    const files = names.filter((name) => !name.endsWith(".error.txt"));
    expect(files).to.have.lengthOf(2);
    for (const name of files) {
      expect(name).to.match(/^病{70,}[.\w]*$/);
      expect(String(readFileSync(join(folder, "failed", name)))).to.equal("{ secret");
      expect(String(readFileSync(join(folder, "failed", `${name}.error.txt`)))).to.match(/^ERR_JSON_INVALID/);
    }
  });

  it("is told once when its name is no UTF-8, as of a share in GBK", async () => {
    const gbk = Buffer.concat([
      Buffer.from(`${folder}/`),
      Buffer.from([0xb2, 0xa1, 0xc0, 0xfd]),
      Buffer.from(".json"),
    ]);
    writeFileSync(gbk, observation({ id: 1, patient: "p" }));
    await using _ = await listening();
    await seen;
    await expectService();
    expect(refused).to.deep.equal([{ code: "ERR_ITEM_INVALID", later: true }]);
    expect(existsSync(gbk)).to.equal(true);
  });

  it("stays when this user may not read it, or enter its folder, and is taken once he may", async () => {
    await using listener = await listening();
    // What is used for the first time is loaded from where this user's rights reach.
    await put("first.json", observation({ id: 3, patient: "p" }));
    await until("done/first.json");
    await put("locked.part", observation({ id: 1, patient: "p" }));
    await put("ward/a.json.part", observation({ id: 2, patient: "p" }));
    chmodSync(join(folder, "ward"), 0);
    chmodSync(join(folder, "locked.part"), 0);
    for (const name of ["", "done", "failed"]) chmodSync(join(folder, name), 0o777);
    await withoutRights(async () => {
      renameSync(join(folder, "locked.part"), join(folder, "locked.json"));
      while (refused.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      await expectService();
    });
    expect(refused).to.deep.equal(
      Array.from({ length: 2 }, () => ({ code: "ERR_ITEM_INVALID", later: true })),
    );
    expect(there("locked.json")).to.equal(true);
    expect(readdirSync(join(folder, "failed"))).to.deep.equal([]);
    expect(hospital.journal.countIn(ItemState.DEAD, 1), "dead letters").to.equal(0);
    chmodSync(join(folder, "ward"), 0o700);
    chmodSync(join(folder, "locked.json"), 0o600);
    renameSync(join(folder, "ward/a.json.part"), join(folder, "ward/a.json"));
    for (const path of ["done/locked.json", "done/ward/a.json"]) await until(path);
    expect(listener.state()).to.include({ sealed: 5, refused: 0 });
  });

  it("stays while more waits for the chain than may, and is taken when that is anchored", async () => {
    await consortium.chain.rpc("evm_setAutomine", [false]);
    try {
      await using listener = await listening({ mostUnanchored: 3, chainWait: 0 });
      await put("first.ndjson", observations("p", 3).join("\n"));
      await until("done/first.ndjson");
      while (!listener.state().full) await new Promise((resolve) => setTimeout(resolve, 20));
      await put("second.json");
      await seen;
      expect(refused[0]).to.deep.equal({ code: "ERR_BUSY", later: true });
      expect(there("second.json")).to.equal(true);
      expect(allItems(hospital)).to.have.lengthOf(3);
      await consortium.chain.rpc("evm_setAutomine", [true]);
      await consortium.chain.rpc("evm_mine");
      await until("done/second.json");
    } finally {
      await consortium.chain.rpc("evm_setAutomine", [true]);
    }
  });
});

/** Root may read everything: its rights are put down meanwhile. */
async function withoutRights(work: () => Promise<void>): Promise<void> {
  if (process.geteuid!() !== 0) return await work();
  process.seteuid!(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid!(0);
  }
}

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, writeFileSync } from "node:fs";
import { Consortium, type Desk } from "../consortium.js";
import { observation, reference } from "../observations.js";

interface Listed {
  entries: { index: number; keptUntil: string; held: boolean }[];
}

describe("retention list", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let a: Desk;
  let key: string;

  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
    key = consortium.keyFile("ann.key");
    await a.done("patient", "enrol", "--identifier", reference("ann"), "--signer-key", key);
    const thisYear = new Date().getUTCFullYear();
    const lines = ["1975-02-28", "1980-02-29", `${thisYear - 29}-12-31`, `${thisYear}-01-01`].map(
      (day, number) => observation(`o${number}`, "ann").replace("2026-05-04T10:00:00Z", day),
    );
    writeFileSync(a.path("a.ndjson"), `${lines.join("\n")}\n`);
    await a.done("ingest", a.path("a.ndjson"));
    writeFileSync(a.path("b.ndjson"), `${lines[0]!.replace("o0", "o9")}\n`);
    await a.done("ingest", a.path("b.ndjson"), "--compartment", "outpatient");
  });
  after(() => consortium[Symbol.asyncDispose]());

  const listed = async () =>
    ((await a.done("retention", "list", "--json")).json as Listed).entries.map(
      ({ index, keptUntil, held }) => [index, keptUntil, held],
    );
  const configure = (retention: object) => {
    const config = JSON.parse(readFileSync(a.config, "utf8")) as object;
    writeFileSync(a.config, JSON.stringify({ ...config, retention }));
  };

  it("shows what is older than 30 years, by the calendar, and nothing else", async () => {
    const entries = await listed();
    expect(entries.map(([index]) => index)).to.deep.equal([1, 2, 5]);
    expect((await a.done("retention", "list")).out).to.match(/may be erased/);
  });

  it("goes by this member's periods, never below the consortium's", async () => {
    configure({ years: 100 });
    expect((await a.done("retention", "list")).out).to.equal("No record's retention is over.\n");
    configure({ years: 100, rules: [{ compartment: "outpatient", years: 40 }] });
    expect(await listed()).to.deep.equal([[5, "2015-02-28", false]]);
    configure({ years: 100, rules: [{ type: "Observation", years: 46 }] });
    expect((await listed()).map(([index]) => index)).to.deep.equal([1, 2, 5]);
    configure({ years: 1 });
    expect((await listed()).map(([index]) => index)).to.deep.equal([1, 2, 5]);
  });

  it("says what is held, and leaves out what was erased", async () => {
    configure({ years: 30 });
    await a.done("hold", "place", "2", "--until", "2030-01-01", "--signer-key", key);
    await a.done("erase", "1", "--ground", "retention");
    expect((await listed()).map(([index, , held]) => [index, held])).to.deep.equal([
      [2, true],
      [5, false],
    ]);
    expect(await a.run("erase", "2", "--ground", "retention")).to.include({ code: 1 });
  });

  it("is refused a period that is none", async () => {
    configure({ years: 0 });
    await a.refused(1, "ERR_CONFIG_INVALID", "retention", "list");
    configure({ years: 30 });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { writeFileSync } from "node:fs";
import { Consortium, type Desk } from "../consortium.js";
import { observation, reference } from "../observations.js";

describe("patient merge and unmerge", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let a: Desk;
  let ids: Record<"ann" | "anna", string>;

  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
    const enrol = async (name: string) => {
      const { json } = await a.done("patient", "enrol", "--identifier", reference(name), "--json");
      return (json as { patientId: string }).patientId;
    };
    ids = { ann: await enrol("ann"), anna: await enrol("anna") };
    await ingest("1", "ann");
    await ingest("2", "anna");
  });
  after(() => consortium[Symbol.asyncDispose]());

  const ingest = async (id: string, patient: string) => {
    writeFileSync(a.path(`${id}.json`), observation(id, patient));
    return (await a.done("ingest", a.path(`${id}.json`), "--json")).json;
  };

  it("make two ids one person's, whose export holds the records of both, and say what does not change", async () => {
    const merged = await a.done("patient", "merge", reference("anna"), reference("ann"));
    expect(merged.out).to.equal(`Merged ${ids.anna} into ${ids.ann}. 1 entries stay under the duplicate.\n`);
    expect(merged.err).to.contain("Grants and directives of the one do not hold for the other");
    await ingest("3", "anna");
    const exported = await a.done("export", reference("anna"), "--out", a.path("ann.zip"), "--json");
    expect(exported.json).to.deep.include({ patients: [ids.ann, ids.anna], entries: 3 });
    await a.done("verify", "--archive", a.path("ann.zip"));
    const audit = await a.done("audit", "--patient", reference("ann"));
    expect(audit.err).to.contain(ids.anna);
    expect((await a.done("audit", "--patient", ids.anna)).err).to.contain(ids.ann);
  });

  it("are taken back", async () => {
    await a.done("patient", "unmerge", ids.anna);
    const { json } = await a.done("export", reference("anna"), "--out", a.path("anna.zip"), "--json");
    expect(json).to.deep.include({ patients: [ids.anna] });
    await a.refused(2, "ERR_USAGE", "patient", "unmerge", ids.anna);
    await a.refused(2, "ERR_USAGE", "patient", "merge", ids.ann, ids.ann);
    await a.refused(1, "ERR_PATIENT_UNKNOWN", "patient", "merge", reference("nobody"), ids.ann);
  });
});

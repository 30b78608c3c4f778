// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Wallet } from "ethers";
import { Consortium, SYSTEM, type Desk } from "../consortium.js";

describe("patient", () => {
  let consortium: Consortium;
  let a: Desk;
  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
  });
  after(() => consortium[Symbol.asyncDispose]());
  const at = (name: string) => join(consortium.folder, name);

  it("enrols one with a device, one without, and the administrative id, and lists them", async () => {
    const key = consortium.keyFile("ann.key");
    const enrol = [
      "patient",
      "enrol",
      "--identifier",
      `${SYSTEM}|1`,
      "--identifier",
      "urn:x|a|b",
      "--label",
      "Ann",
    ];
    const { patientId } = (await a.done(...enrol, "--signer-key", key, "--json")).json as {
      patientId: string;
    };
    await a.done("patient", "enrol", "--identifier", `${SYSTEM}|2`);
    const administrative = (await a.done("patient", "administrative", "--json")).json as {
      patientId: string;
    };
    expect((await a.done("patient", "administrative", "--json")).json).to.deep.equal(administrative);
    const { patients } = (await a.done("patient", "list", "--json")).json as {
      patients: { patientId: string; identifiers: object[] }[];
    };
    const ann = patients.find((patient) => patient.patientId === patientId);
    expect(ann?.identifiers).to.have.deep.members([
      { system: SYSTEM, value: "1" },
      { system: "urn:x", value: "a|b" },
    ]);
    expect(ann).to.include({
      label: "Ann",
      signer: new Wallet(readFileSync(key, "utf8").trim()).address.toLowerCase(),
      administrative: false,
    });
    expect(patients).to.have.length(3);
  });

  it("reads identifiers from standard input, where no other user of the machine sees them", async () => {
    const given = (text: string) => ({ stdin: Readable.from([Buffer.from(text)]) });
    const enrol = ["patient", "enrol", "--identifier", "-", "--json"];
    const { code, json } = await a.runWith(given("urn:in|1\r\n\nurn:in|二\n"), ...enrol);
    expect(code).to.equal(0);
    const { patients } = (await a.done("patient", "list", "--json")).json as {
      patients: { patientId: string; identifiers: object[] }[];
    };
    expect(patients.find(({ patientId }) => patientId === (json as { patientId: string }).patientId))
      .to.have.property("identifiers")
      .that.has.deep.members([
        { system: "urn:in", value: "1" },
        { system: "urn:in", value: "二" },
      ]);
    for (const [text, more] of [
      [" \n", []],
      ["urn:in|3", ["--identifier", "urn:in|4"]],
      ["no-bar", []],
    ] as const) {
      const refused = await a.runWith(given(text), ...enrol, ...more);
      expect([refused.code, refused.error.code], text).to.deep.equal([2, "ERR_USAGE"]);
      expect(refused.err).not.to.contain("no-bar");
    }
  });

  it("refuses an identifier that is taken, without repeating it", async () => {
    const error = await a.refused(
      1,
      "ERR_PATIENT_AMBIGUOUS",
      "patient",
      "enrol",
      "--identifier",
      `${SYSTEM}|1`,
    );
    expect(JSON.stringify(error)).not.to.contain(SYSTEM);
    await a.refused(2, "ERR_USAGE", "patient", "enrol", "--identifier", "no-bar");
  });

  it("refuses a key file that others may read, is no key or is not there, and never shows it", async () => {
    const open = consortium.keyFile("open.key", 0o644);
    const shared = await a.refused(
      1,
      "ERR_KEY_INVALID",
      "patient",
      "enrol",
      "--identifier",
      "urn:y|1",
      "--signer-key",
      open,
    );
    expect(shared.hint).to.equal(`chmod 600 ${open}`);
    const key = readFileSync(open, "utf8").trim();
    expect(JSON.stringify(shared)).not.to.contain(key.slice(2, 20));
    const broken = at("broken.key");
    writeFileSync(broken, key.slice(0, -2), { mode: 0o600 });
    const error = await a.refused(
      1,
      "ERR_KEY_INVALID",
      "patient",
      "enrol",
      "--identifier",
      "urn:y|1",
      "--signer-key",
      broken,
    );
    expect(JSON.stringify(error)).not.to.contain(key.slice(2, 20));
    await a.refused(
      1,
      "ERR_KEY_INVALID",
      "patient",
      "enrol",
      "--identifier",
      "urn:y|1",
      "--signer-key",
      at("none.key"),
    );
    chmodSync(open, 0o600);
    await a.done("patient", "enrol", "--identifier", "urn:y|1", "--signer-key", open);
  });

  it("imports patients without repeating who they are", async () => {
    const file = at("patients.csv");
    writeFileSync(file, `system,value,label\n${SYSTEM},901,"Ng, Al"\n${SYSTEM},901,Again\n${SYSTEM},902,\n`);
    const { code, json, out } = await a.run("patient", "import", file, "--json");
    expect(code).to.equal(3);
    expect(json).to.include({ enrolled: 2, failed: 1 });
    expect(out).not.to.contain(SYSTEM).and.not.to.contain("Ng");
  });

  it("acts with the key that --as names", async () => {
    const enrol = ["patient", "enrol", "--identifier", "urn:z|1"];
    await a.refused(1, "ERR_KEY_MISSING", ...enrol, "--as", "nobody");
    const error = await a.refused(1, "ERR_CHAIN_REFUSED", ...enrol, "--as", "admin");
    expect(error.values["reason"]).to.equal("StaffUnknown");
  });
});

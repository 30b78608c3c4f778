// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ChartsealError } from "../../src/errors.js";
import {
  DEFAULT_RULES,
  FHIR_PATIENT,
  loadRules,
  parseRules,
  resolveSubject,
} from "../../src/records/index.js";
import type { PatientRef, PatientRules } from "../../src/records/index.js";
import { errorOf } from "./error-of.js";

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const ref = (system: string, value: string): PatientRef => ({ system, value });
const fhir = (value: string): PatientRef => ref(FHIR_PATIENT, value);

const ENROLLED: Record<string, string> = { "mrn|1": "0xaa", "fhir:Patient|1": "0xaa", "mrn|2": "0xbb" };
const lookup = ({ system, value }: PatientRef): string | undefined => ENROLLED[`${system}|${value}`];

const item = (subjects: PatientRef[][], more: { path?: string; resourceType?: string } = {}) => ({
  path: "a.json",
  subjects,
  ...more,
});
const resolve = (one: ReturnType<typeof item>, rules: PatientRules = DEFAULT_RULES) =>
  resolveSubject(one, rules, lookup);
const rulesOf = (...rules: unknown[]): PatientRules => parseRules(utf8({ format: 1, rules }));

describe("resolveSubject", () => {
  it("finds a patient by any of a person's identifiers", () => {
    expect(resolve(item([[fhir("9"), ref("mrn", "1")]]))).to.deep.equal({ patientId: "0xaa" });
    expect(resolve(item([[fhir("1")], [ref("mrn", "1")]]))).to.deep.equal({ patientId: "0xaa" });
  });

  it("refuses an item of two patients without naming them", () => {
    for (const subjects of [[[ref("mrn", "1")], [ref("mrn", "2")]], [[ref("mrn", "1"), ref("mrn", "2")]]]) {
      const error = resolve(item(subjects));
      if (!(error instanceof ChartsealError)) throw new Error("expected an error");
      expect(error.code).to.equal("ERR_PATIENT_AMBIGUOUS");
      expect(JSON.stringify(error)).not.to.match(/mrn|0xaa|0xbb/);
      expect(error.hint).to.contain("split");
    }
  });

  it("waits while one of the persons is unknown", () => {
    expect(resolve(item([[ref("mrn", "1")], [ref("mrn", "3")]]))).to.deep.equal({ unknown: true });
    expect(resolve(item([[ref("mrn", "3")]]))).to.deep.equal({ unknown: true });
    expect(resolve(item([[]]))).to.deep.equal({ unknown: true });
  });

  it("files under the administrative id only a type that is nobody's and names nobody", () => {
    expect(resolve(item([], { resourceType: "Practitioner" }))).to.deep.equal({ administrative: true });
    expect(resolve(item([[ref("mrn", "1")]], { resourceType: "Practitioner" }))).to.deep.equal({
      patientId: "0xaa",
    });
    expect(resolve(item([], { resourceType: "Observation" }))).to.deep.equal({ unknown: true });
    expect(resolve(item([], { resourceType: "Binary" }))).to.deep.equal({ unknown: true });
    expect(resolve(item([]))).to.deep.equal({ unknown: true });
    const own = parseRules(utf8({ format: 1, rules: [], administrative: ["Binary"] }));
    expect(resolve(item([], { resourceType: "Binary" }), own)).to.deep.equal({ administrative: true });
    expect(resolve(item([], { resourceType: "Practitioner" }), own)).to.deep.equal({ unknown: true });
  });

  it("lets the first matching rule win over what the item names", () => {
    const rules = rulesOf(
      { path: "ward/*.pdf", patient: { system: "mrn", value: "2" } },
      { path: "ward/**", patient: { system: "mrn", value: "1" } },
      { resourceType: "Basic", patient: "administrative" },
    );
    expect(resolve(item([], { path: "ward/x.pdf" }), rules)).to.deep.equal({ patientId: "0xbb" });
    expect(resolve(item([[ref("mrn", "2")]], { path: "ward/deep/x.pdf" }), rules)).to.deep.equal({
      patientId: "0xaa",
    });
    expect(resolve(item([], { resourceType: "Basic" }), rules)).to.deep.equal({ administrative: true });
    expect(resolve(item([], { path: "other/x.pdf" }), rules)).to.deep.equal({ unknown: true });
  });

  it("waits when a rule names a patient who is not enrolled", () => {
    const rules = rulesOf({ path: "**", patient: { system: "mrn", value: "404" } });
    expect(resolve(item([[ref("mrn", "1")]]), rules)).to.deep.equal({ unknown: true });
  });

  it("needs every condition of a rule", () => {
    const rules = rulesOf({ path: "a.*", resourceType: "Basic", patient: { system: "mrn", value: "2" } });
    expect(resolve(item([], { resourceType: "Basic" }), rules)).to.deep.equal({ patientId: "0xbb" });
    expect(resolve(item([], { resourceType: "Media" }), rules)).to.deep.equal({ unknown: true });
  });

  it("matches a reference only where it is the one person of the item", () => {
    const rules = rulesOf(
      { reference: "Patient/x", patient: { system: "mrn", value: "2" } },
      { reference: "urn:uuid:u", patient: { system: "mrn", value: "1" } },
    );
    expect(resolve(item([[fhir("x"), ref("lab", "5")]]), rules)).to.deep.equal({ patientId: "0xbb" });
    expect(resolve(item([[fhir("urn:uuid:u")]]), rules)).to.deep.equal({ patientId: "0xaa" });
    expect(resolve(item([[fhir("x")], [fhir("y")]]), rules)).to.deep.equal({ unknown: true });
    expect(resolve(item([[ref("lab", "x")]]), rules)).to.deep.equal({ unknown: true });
  });

  it("takes another server's patient for ours only below a base of ours", () => {
    const absolute = item([[fhir("https://a.example/fhir/Patient/1")]]);
    expect(resolve(absolute)).to.deep.equal({ unknown: true });
    const ours = parseRules(utf8({ format: 1, rules: [], bases: ["https://a.example/fhir/"] }));
    expect(resolve(absolute, ours)).to.deep.equal({ patientId: "0xaa" });
    expect(resolve(item([[fhir("https://b.example/fhir/Patient/1")]]), ours)).to.deep.equal({
      unknown: true,
    });
    expect(resolve(item([[fhir("https://a.example/fhir/deep/Patient/1")]]), ours)).to.deep.equal({
      unknown: true,
    });
  });
});

describe("a rule file", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "chartseal-rules-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is read from disk", async () => {
    const path = join(folder, "rules.json");
    await writeFile(path, '\ufeff{"format":1,"rules":[{"path":"**","patient":"administrative"}]}');
    const rules = await loadRules(path);
    expect(rules.rules).to.deep.equal([{ path: "**", patient: "administrative" }]);
    expect(rules.administrative).to.equal(DEFAULT_RULES.administrative);
  });

  it("that is missing is ERR_CONFIG_INVALID", async () => {
    const error = await loadRules(join(folder, "none.json")).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(ChartsealError).with.property("code", "ERR_CONFIG_INVALID");
  });

  it("of an unknown format is ERR_FORMAT_UNSUPPORTED", () => {
    expect(errorOf(() => parseRules(utf8({ format: 2, rules: [] }))).code).to.equal("ERR_FORMAT_UNSUPPORTED");
  });

  it("that is wrong names the place and what is allowed, never the value", () => {
    const secret = "MRN-4711";
    const patient = { system: "mrn", value: "1" };
    const wrong: [unknown, string, string][] = [
      [{ format: 1, rules: [{ path: "a", patient: secret }] }, "$.rules[0].patient", '"administrative" or'],
      [{ format: 1, rules: [{ path: "a", patient: { system: "s" } }] }, "$.rules[0].patient", '"value"'],
      [{ format: 1, rules: [{ patient }] }, "$.rules[0]", "at least one of path"],
      [{ format: 1, rules: [{ path: "", patient }] }, "$.rules[0].path", "not empty"],
      [{ format: 1, rules: [{ reference: secret, patient }] }, "$.rules[0].reference", "Patient/<id>"],
      [{ format: 1, rules: [{ resourceType: secret, patient }] }, "$.rules[0].resourceType", "Observation"],
      [{ format: 1, rules: [{ path: "a", patient, [secret]: 1 }] }, "$.rules[0]", "no other keys than path"],
      [{ format: 1, rules: [5] }, "$.rules[0]", "an object with path"],
      [{ format: 1 }, "$.rules", "a list of rules"],
      [{ rules: [] }, "$.format", "1"],
      [{ format: 1, rules: [], bases: [secret] }, "$.bases[0]", "http(s) URL"],
      [{ format: 1, rules: [], administrative: "x" }, "$.administrative", "a list of FHIR"],
      [[], "$", "an object with format"],
    ];
    for (const [value, place, allowed] of wrong) {
      const error = errorOf(() => parseRules(utf8(value)));
      expect(error.code).to.equal("ERR_CONFIG_INVALID");
      expect(error.values["jsonPath"], JSON.stringify(value)).to.equal(place);
      expect(error.message).to.contain(allowed);
      expect(JSON.stringify(error)).not.to.contain(secret);
    }
  });

  it("with a comment or a duplicate key is refused with its place", () => {
    for (const text of ['{"format":1,"format":1,"rules":[]}', '// rules\n{"format":1,"rules":[]}']) {
      const error = errorOf(() => parseRules(new TextEncoder().encode(text)));
      expect(error.code).to.equal("ERR_CONFIG_INVALID");
      expect(error.message).to.contain("line 1");
    }
  });
});

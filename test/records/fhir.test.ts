// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFhir } from "../../src/records/fhir-bundle.js";
import type { FhirFacts } from "../../src/records/fhir-bundle.js";
import { errorOf } from "./error-of.js";

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function factsOf(resource: unknown): FhirFacts {
  const text = readFhir(utf8(resource));
  if (text.kind === "json") throw new Error("expected FHIR");
  return text.kind === "bundle" ? text.bundle.facts() : text.facts;
}

/** Subjects in short: `system|value` of each person's identifiers. */
const subjectsOf = (resource: unknown): string[][] =>
  factsOf(resource).subjects.map((refs) => refs.map(({ system, value }) => `${system}|${value}`));

const observation = (subject: unknown, more: object = {}) => ({
  resourceType: "Observation",
  subject,
  ...more,
});
const entry = (resource: unknown, fullUrl?: string) => ({
  ...(fullUrl === undefined ? {} : { fullUrl }),
  resource,
});
const bundle = (...entries: unknown[]) => ({ resourceType: "Bundle", type: "collection", entry: entries });

/** Subjects of each entry, read alone. */
function entrySubjects(value: unknown): string[][][] {
  const text = readFhir(utf8(value));
  if (text.kind !== "bundle") throw new Error("expected a Bundle");
  return text.bundle.entries.map((one) =>
    (text.bundle.read(one)?.subjects ?? []).map((refs) =>
      refs.map(({ system, value: v }) => `${system}|${v}`),
    ),
  );
}

describe("the subjects of a FHIR resource", () => {
  it("are the persons of its compartment elements, not everyone it mentions", () => {
    const resource = {
      resourceType: "Encounter",
      subject: { reference: "Patient/1" },
      participant: [{ individual: { reference: "Practitioner/2" } }],
      hospitalization: { origin: { reference: "Patient/3" } },
    };
    expect(subjectsOf(resource)).to.deep.equal([["fhir:Patient|1"]]);
  });

  it("take one person once, however often and in whatever order he is named", () => {
    const resource = observation(
      { reference: "Patient/1/_history/3", identifier: { system: "mrn", value: "7" } },
      {
        performer: [
          { reference: "Patient/1" },
          { type: "Patient", identifier: { system: "mrn", value: "7" } },
        ],
      },
    );
    expect(subjectsOf(resource)).to.deep.equal([["fhir:Patient|1", "mrn|7"]]);
  });

  it("are two when two are named", () => {
    const resource = observation({ reference: "Patient/1" }, { performer: [{ reference: "Patient/2" }] });
    expect(subjectsOf(resource)).to.deep.equal([["fhir:Patient|1"], ["fhir:Patient|2"]]);
  });

  it("are read through nested and repeated elements", () => {
    const group = {
      resourceType: "Group",
      member: [{ entity: { reference: "Patient/1" } }, { entity: { reference: "Patient/2" } }],
    };
    expect(subjectsOf(group)).to.have.lengthOf(2);
    const plan = {
      resourceType: "CarePlan",
      activity: [{ detail: { performer: [{ reference: "Patient/5" }] } }],
    };
    expect(subjectsOf(plan)).to.deep.equal([["fhir:Patient|5"]]);
  });

  it("of a Patient are itself, by id and identifiers; a link merges nobody", () => {
    const patient = {
      identifier: [
        { system: "mrn", value: "7" },
        { value: "8" },
        { system: "mrn" },
        { system: "mrn", value: "" },
      ],
      link: [{ other: { reference: "Patient/2" }, type: "replaced-by" }],
      id: "1",
      resourceType: "Patient",
    };
    expect(subjectsOf(patient)).to.deep.equal([["fhir:Patient|1", "mrn|7", "|8"]]);
  });

  it("keep an absolute reference whole, since another server's id is another person's", () => {
    expect(
      subjectsOf(observation({ reference: "https://a.example/fhir/Patient/1/_history/2" })),
    ).to.deep.equal([["fhir:Patient|https://a.example/fhir/Patient/1"]]);
  });

  it("read a conditional reference by identifier, and leave any other search unresolved", () => {
    const by = (reference: string) => subjectsOf(observation({ reference }));
    expect(by("Patient?identifier=http%3A%2F%2Fmrn%7C7")).to.deep.equal([["http://mrn|7"]]);
    expect(by("Patient?identifier=urn:x|7|8")).to.deep.equal([["urn:x|7|8"]]);
    expect(by("Patient?identifier=7")).to.deep.equal([["|7"]]);
    expect(by("Patient?name=doe")).to.deep.equal([["fhir:Patient|Patient?name=doe"]]);
    expect(by("Patient?identifier=a|1&name=doe")[0]?.[0]).to.match(/^fhir:Patient/);
    expect(by("Practitioner?identifier=x|1")).to.deep.equal([]);
  });

  it("count a reference without a type only where the element is a patient's", () => {
    const identifier = { system: "mrn", value: "7" };
    expect(subjectsOf(observation({ identifier }))).to.deep.equal([["mrn|7"]]);
    expect(subjectsOf(observation(undefined, { performer: [{ identifier }] }))).to.deep.equal([]);
    expect(subjectsOf(observation({ identifier, type: "Group" }))).to.deep.equal([]);
    expect(subjectsOf(observation({ reference: "urn:uuid:1" }))).to.deep.equal([["fhir:Patient|urn:uuid:1"]]);
    expect(subjectsOf(observation(undefined, { performer: [{ reference: "urn:uuid:1" }] }))).to.deep.equal(
      [],
    );
    expect(subjectsOf(observation({ reference: "Group/1" }))).to.deep.equal([]);
    expect(subjectsOf(observation({ display: "Mr Doe" }))).to.deep.equal([]);
  });

  it("follow a reference to a contained Patient, and know a contained other", () => {
    const contained = [
      { resourceType: "Patient", id: "p1", identifier: [{ system: "mrn", value: "7" }] },
      { resourceType: "Group", id: "g" },
    ];
    const twice = observation({ reference: "#p1" }, { contained, performer: [{ reference: "#p1" }] });
    expect(subjectsOf(twice)).to.deep.equal([["mrn|7"]]);
    expect(subjectsOf(observation({ reference: "#g" }, { contained }))).to.deep.equal([]);
    expect(subjectsOf(observation({ reference: "#gone" }, { contained }))).to.deep.equal([
      ["fhir:Patient|#gone"],
    ]);
    const nameless = [{ resourceType: "Patient", id: "p1" }];
    expect(subjectsOf(observation({ reference: "#p1" }, { contained: nameless }))).to.deep.equal([
      ["fhir:Patient|#p1"],
    ]);
  });

  it("are read from types beyond the compartment that are about one person", () => {
    expect(subjectsOf({ resourceType: "Task", for: { reference: "Patient/1" } })).to.deep.equal([
      ["fhir:Patient|1"],
    ]);
    expect(subjectsOf({ resourceType: "Practitioner", id: "1" })).to.deep.equal([]);
  });
});

describe("the subjects of a Bundle", () => {
  const patient = (id: string | undefined, mrn: string) => ({
    resourceType: "Patient",
    ...(id === undefined ? {} : { id }),
    identifier: [{ system: "mrn", value: mrn }],
  });

  it("follow urn:uuid to a Patient that comes later, with all its identifiers", () => {
    const value = bundle(
      entry(observation({ reference: "urn:uuid:a" }, { performer: [{ reference: "urn:uuid:b" }] })),
      entry(patient(undefined, "7"), "urn:uuid:a"),
      entry({ resourceType: "Practitioner" }, "urn:uuid:b"),
    );
    const person = ["mrn|7", "fhir:Patient|urn:uuid:a"];
    expect(entrySubjects(value)).to.deep.equal([[person], [person], []]);
    expect(subjectsOf(value)).to.deep.equal([person]);
  });

  it("do not count a urn:uuid subject that is a Group", () => {
    const value = bundle(
      entry(observation({ reference: "urn:uuid:g" })),
      entry({ resourceType: "Group" }, "urn:uuid:g"),
    );
    expect(entrySubjects(value)[0]).to.deep.equal([]);
  });

  it("keep two Patients apart that share an identifier, and name both where only that is given", () => {
    const shared = { identifier: { system: "mrn", value: "7" } };
    const value = bundle(
      entry(patient("1", "7")),
      entry(patient("2", "7")),
      entry(observation({ reference: "Patient/1" })),
      entry(observation(shared)),
      entry(observation({ reference: "Patient/1", ...shared })),
    );
    const subjects = entrySubjects(value);
    expect(subjects.map((persons) => persons.length)).to.deep.equal([1, 1, 1, 2, 1]);
    expect(subjectsOf(value)).to.have.lengthOf(2);
  });

  it("name both when a reference and its identifier disagree", () => {
    const torn = { reference: "Patient/1", identifier: { system: "mrn", value: "8" } };
    const value = bundle(entry(patient("1", "7")), entry(patient("2", "8")), entry(observation(torn)));
    expect(entrySubjects(value)[2]).to.have.lengthOf(2);
  });

  it("take versions of one Patient as one person", () => {
    const url = "https://a.example/Patient/1";
    const value = bundle(entry(patient("1", "7"), url), entry(patient("1", "8"), url));
    expect(subjectsOf(value)).to.deep.equal([["mrn|7", "fhir:Patient|https://a.example/Patient/1", "mrn|8"]]);
    expect(
      subjectsOf(bundle(entry(patient(undefined, "7")), entry(patient(undefined, "7")))),
    ).to.have.lengthOf(1);
  });

  it("include those of a Bundle inside, and refuse Bundles nested too deep", () => {
    const inner = bundle(entry(observation({ reference: "Patient/1" })));
    expect(subjectsOf(bundle(entry(inner), entry(observation({ reference: "Patient/2" }))))).to.have.lengthOf(
      2,
    );
    const deep = (levels: number): unknown => (levels === 0 ? inner : bundle(entry(deep(levels - 1))));
    expect(subjectsOf(deep(3))).to.have.lengthOf(1);
    expect(errorOf(() => factsOf(deep(4))).code).to.equal("ERR_ITEM_INVALID");
  });

  it("survive odd entries", () => {
    const odd = { resourceType: "Bundle", entry: [null, 1, {}, { resource: 5 }, { resource: { id: "x" } }] };
    expect(entrySubjects(odd)).to.deep.equal([[]]);
    expect(subjectsOf({ resourceType: "Bundle", entry: entry(patient("1", "7")) })).to.have.lengthOf(1);
    expect(subjectsOf({ resourceType: "Bundle" })).to.deep.equal([]);
  });
});

describe("the header of a FHIR resource", () => {
  it("is read whatever the order of its fields, and however they are written", () => {
    const text = new TextEncoder().encode(
      '{"\\u0069d":"a-1","status":1.00,"resourceTyp\\u0065":"Observation"}',
    );
    expect(readFhir(text)).to.deep.include({
      facts: { resourceType: "Observation", id: "a-1", subjects: [] },
    });
  });

  it("takes when it was recorded before when it happened, and the server's time last", () => {
    const times = {
      issued: "2020-01-02T03:04:05.678+01:00",
      effectiveDateTime: "2019",
      meta: { lastUpdated: "2024-01-01T00:00:00Z" },
    };
    expect(factsOf(observation(undefined, times)).recordedAt).to.equal(times.issued);
    expect(factsOf(observation(undefined, { ...times, issued: "soon" })).recordedAt).to.equal("2019");
    expect(factsOf(observation(undefined, { meta: times.meta })).recordedAt).to.equal("2024-01-01T00:00:00Z");
    expect(
      factsOf({ resourceType: "Encounter", period: { start: "2020-02", end: "2021" } }).recordedAt,
    ).to.equal("2020-02");
    expect(factsOf(observation(undefined)).recordedAt).to.equal(undefined);
  });

  it("names an author by reference, identifier or display", () => {
    const author = (performer: unknown) => factsOf(observation(undefined, { performer: [performer] })).author;
    expect(author({ reference: "Practitioner/7", display: "Dr No" })).to.equal("Practitioner/7");
    expect(author({ identifier: { system: "npi", value: "1" }, display: "Dr No" })).to.equal("npi|1");
    expect(author({ display: "Dr No" })).to.equal("Dr No");
    expect(author({ actor: { reference: "Practitioner/8" } })).to.equal("Practitioner/8");
    expect(author({ display: "x".repeat(600) })).to.equal(undefined);
  });

  it("leaves out an id that cannot be one", () => {
    for (const id of ["", "a b", "a/b", "x".repeat(257), "a\u0000", 5]) {
      expect(factsOf({ resourceType: "Basic", id }).id, String(id)).to.equal(undefined);
    }
    expect(factsOf({ resourceType: "Basic", id: "A_b.c-9" }).id).to.equal("A_b.c-9");
  });

  it("is absent for JSON that is not FHIR", () => {
    for (const value of [
      {},
      [],
      5,
      "x",
      { resourceType: 5 },
      { resourceType: "not a type" },
      [{ resourceType: "Patient" }],
    ]) {
      expect(readFhir(utf8(value)).kind).to.equal("json");
    }
  });
});

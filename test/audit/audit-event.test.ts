// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect } from "chai";
import {
  auditEventNdjson,
  auditEvents,
  disclosures,
  type Audit,
  type FhirAuditEvent,
} from "../../src/audit/index.js";
import { balpFaultsOf } from "./balp.js";
import { schemaFaultsOf } from "./fhir-schema.js";
import { faultsOf } from "./fhir-structure.js";
import { threeHospitals } from "./three-hospitals.js";
import { CUSTODIAN, READER_NAME, theStory, type Story } from "./two-hospitals.js";

const asObject = (event: FhirAuditEvent) => ({ ...event }) as unknown as Record<string, unknown>;

describe("FHIR AuditEvents", function () {
  this.timeout(60_000);
  let story: Story;
  let audit: Audit;
  let events: FhirAuditEvent[];

  before(async () => {
    story = await theStory();
    audit = await disclosures({ chain: story.hospitals.chain, patient: story.patientId });
    events = auditEvents(audit);
  });

  const profileOf = (event: FhirAuditEvent) => event.meta?.profile[0]?.split("IHE.BasicAudit.")[1];

  it("are valid by FHIR R4's own StructureDefinition", () => {
    for (const event of events) expect(faultsOf(asObject(event)), event.subtype[0]?.code).to.deep.equal([]);
  });

  it("are valid by FHIR R4's own JSON schema, those of emergencies and accountings too", async () => {
    const { a, b, patients } = await threeHospitals();
    const emergency = await a.audit.disclosures({ patient: patients.emergency });
    const accounting = await a.audit.accounting({ subject: { member: b.memberId } });
    const kinds = new Set<string>();
    for (const report of [audit, emergency, accounting]) {
      for (const event of auditEvents(report)) {
        expect(schemaFaultsOf(asObject(event)), event.id).to.deep.equal([]);
        expect(faultsOf(asObject(event)), event.id).to.deep.equal([]);
        expect(balpFaultsOf(event), event.id).to.deep.equal([]);
        kinds.add(event.subtype[0]!.code);
      }
    }
    expect([...kinds]).to.have.members(["create", "read", "update", "search"]);
  });

  it("keep the profiles of IHE BALP that they claim", () => {
    for (const event of events) expect(balpFaultsOf(event)).to.deep.equal([]);
    expect(events.map(profileOf)).to.deep.equal([
      "PatientCreate", // enrolled
      "PatientCreate", // grant
      "PatientQuery", // index
      "PatientCreate", // grant
      "PatientRead", // record 1
      "PatientRead", // record 2
      "PatientQuery", // chart
      "PatientUpdate", // amended
      "PatientUpdate", // retracted
      "PatientCreate", // first directive
      "PatientUpdate", // revoked
      "PatientUpdate", // revoked
    ]);
  });

  it("say of a read record who read it, for whom, from whom, why and on which grant", () => {
    const [first, second] = events.filter((event) => profileOf(event) === "PatientRead");
    const account = story.hospitals.clinician.address.toLowerCase();
    const urn = (value: string) => ({ system: "urn:ietf:rfc:3986", value: `urn:chartseal:${value}` });
    const [client, server, user] = first!.agent;
    expect(client!.who).to.deep.equal({
      type: "Organization",
      identifier: urn("member:2"),
      display: READER_NAME,
    });
    expect(client!.network).to.deep.equal({ address: `eip155:31337:${account}`, type: "5" });
    expect(server!.who).to.deep.include({ identifier: urn("member:1"), display: CUSTODIAN });
    expect(user!.who).to.deep.equal({ type: "Practitioner", identifier: urn(`account:${account}`) });
    expect(user!.policy).to.deep.equal([`urn:chartseal:grant:${story.ticket.termsHash}`]);
    const purpose = [
      { coding: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "CAREMGT" }] },
    ];
    expect(first!.purposeOfEvent).to.deep.equal(purpose);
    expect(user!.purposeOfUse).to.deep.equal(purpose);
    const access = audit.entries.find((entry) => entry.kind === "access" && entry.extent === "RECORDS")!;
    expect(first!.recorded).to.equal(new Date(access.at * 1000).toISOString().replace(".000Z", "Z"));
    const whats = [first!, second!].map((event) => event.entity.map(({ what }) => what!.identifier.value));
    const accessId = "accessId" in access ? access.accessId : "";
    expect(whats).to.deep.equal(
      [1, 2].map((index) => [
        `urn:chartseal:patient:${story.patientId}`,
        `urn:chartseal:entry:31337:1:${index}`,
        `urn:chartseal:access:${accessId}`,
      ]),
    );
  });

  it("name the reader's side by the way of the data in a read, by the way of the question in a query", () => {
    const roleOf = (profile: string, member: number) => {
      const { agent } = events.find((event) => profileOf(event) === profile)!;
      const side = agent.find(({ who }) => who.identifier.value === `urn:chartseal:member:${member}`);
      return side!.type.coding[0]!.display;
    };
    expect([roleOf("PatientRead", 2), roleOf("PatientRead", 1)]).to.deep.equal([
      "Destination Role ID",
      "Source Role ID",
    ]);
    expect([roleOf("PatientQuery", 2), roleOf("PatientQuery", 1)]).to.deep.equal([
      "Source Role ID",
      "Destination Role ID",
    ]);
  });

  it("carry a scope as the query that was asked", () => {
    const [index, chart] = events.filter((event) => profileOf(event) === "PatientQuery");
    const query = index!.entity.find(({ role }) => role?.code === "24")!;
    const text = Buffer.from(query.query!, "base64").toString();
    expect(query.description).to.equal(text);
    expect(text).to.match(/^extent=INDEX&custodian=1&compartments=0,1,.*,63&recorded=ge1970-01-01&/);
    expect(text).to.match(/&recorded=le9999-12-31&upTo=3$/);
    expect(JSON.stringify(chart)).to.contain("extent=CHART");
  });

  it("carry a grant's terms as details", () => {
    const [, , , grant] = events;
    const data = grant!.entity.find(({ type }) => type.code === "2")!;
    const details = Object.fromEntries(data.detail!.map(({ type, valueString }) => [type, valueString]));
    expect(details).to.include({
      grantee: "urn:chartseal:member:3",
      givenBy: "PATIENT",
      purposes: "HRESCH",
      compartments: "5 7 8",
      recordedFrom: "2020-01-01",
      recordedTo: "2024-12-31",
    });
  });

  it("have ids that follow from the place on chain, one for each", async () => {
    const ids = events.map((event) => event.id);
    expect(new Set(ids).size).to.equal(events.length);
    const again = await disclosures({ chain: story.hospitals.chain, patient: story.patientId, member: 2 });
    const some = auditEvents(again).map((event) => event.id);
    expect(some).to.have.length(6);
    expect(ids).to.include.members(some);
  });

  it("are written one a line", () => {
    const text = auditEventNdjson(audit);
    expect(text.endsWith("}\n")).to.equal(true);
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).to.deep.equal(events);
    expect(auditEventNdjson({ ...audit, entries: [] })).to.equal("");
  });

  it("hold no name of vault or journal", () => {
    const local = { compartments: { 5: "psychiatry" }, records: { 1: "Discharge letter" }, statements: {} };
    expect(auditEventNdjson({ ...audit, local })).to.equal(auditEventNdjson(audit));
  });

  it("stay valid with empty, blank or hostile member names, times without end and unknown events", () => {
    const other = {
      kind: "other",
      event: "0xabc",
      at: 2 ** 48 - 1,
      blockNumber: 1,
      logIndex: 0,
      transactionHash: `0x${"00".repeat(32)}`,
      contract: "AccessLog",
    } as const;
    const entries = [...audit.entries, other, { ...audit.entries[8]!, deniedCompartments: [] }];
    for (const name of ["", "  ", "a\u0000\u001Bb\n"]) {
      for (const event of auditEvents({ ...audit, entries, members: { 1: name, 2: name } })) {
        expect(faultsOf(asObject(event))).to.deep.equal([]);
      }
    }
    expect(faultsOf(asObject(auditEvents({ ...audit, members: {} })[4]!))).to.deep.equal([]);
  });
});

describe("FHIR's JSON schema", () => {
  it("names what it does not know, and what an AuditEvent must have", () => {
    const source = { observer: { display: "x" } };
    const good = { resourceType: "AuditEvent", type: {}, agent: [{ requestor: true }], source };
    expect(schemaFaultsOf({ ...good, recorded: "2027-01-01T00:00:00Z" })).to.deep.equal([]);
    expect(schemaFaultsOf({ ...good, colour: "red" })).not.to.deep.equal([]);
    expect(schemaFaultsOf({ ...good, recorded: "yesterday" })).not.to.deep.equal([]);
    expect(schemaFaultsOf({ ...good, agent: {} })).not.to.deep.equal([]);
    expect(schemaFaultsOf({ ...good, agent: undefined })).not.to.deep.equal([]);
    expect(schemaFaultsOf({ ...good, action: "read" })).not.to.deep.equal([]);
  });
});

describe("the walker along FHIR's StructureDefinition", () => {
  const examples = [
    "example",
    "example-disclosure",
    "example-error",
    "example-login",
    "example-logout",
    "example-media",
    "example-pixQuery",
    "example-rest",
    "example-search",
  ];
  const example = (name: string) => {
    const file = createRequire(import.meta.url).resolve(`hl7.fhir.r4.examples/AuditEvent-${name}.json`);
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  };

  it("finds no structural fault in HL7's own AuditEvents", () => {
    for (const name of examples) {
      const faults = faultsOf(example(name)).filter(
        (fault) => !/code system|displayed as|has no code/.test(fault),
      );
      expect(faults, name).to.deep.equal([]);
    }
  });

  it("names missing, unknown, single, repeated, empty and ill-typed elements, and foreign codes", () => {
    const good = example("example-rest");
    const agent = (good["agent"] as Record<string, unknown>[])[0]!;
    const broken: [change: Record<string, unknown>, fault: string | RegExp][] = [
      [{ type: undefined }, "AuditEvent.type: missing"],
      [{ colour: "red" }, "AuditEvent.colour: unknown element"],
      [{ subtype: { code: "x" } }, "AuditEvent.subtype: must be a list"],
      [{ action: ["R"] }, "AuditEvent.action: must not be a list"],
      [{ agent: [] }, "AuditEvent.agent: has 0 of 1"],
      [{ agent: [{ ...agent, requestor: undefined }] }, "AuditEvent.agent.requestor: missing"],
      [{ agent: [{ ...agent, requestor: "true" }] }, "AuditEvent.agent.requestor: not a boolean"],
      [{ agent: [{ ...agent, who: { display: " " } }] }, /^AuditEvent\.agent\.who\.display: not a text/],
      [{ recorded: "2020-01-01" }, "AuditEvent.recorded: 2020-01-01 is not a instant"],
      [{ outcome: "1" }, /^AuditEvent\.outcome: 1 is not in/],
      [
        { type: { system: "http://terminology.hl7.org/CodeSystem/audit-event-type", code: "soap" } },
        /has no code soap$/,
      ],
      [{ entity: [{ detail: [{ type: "a" }] }] }, "AuditEvent.entity.detail.valueString: missing"],
    ];
    for (const [change, fault] of broken) {
      const faults = faultsOf(JSON.parse(JSON.stringify({ ...good, ...change })) as Record<string, unknown>);
      const found = faults.some((one) => (typeof fault === "string" ? one === fault : fault.test(one)));
      expect(found, `${fault}: ${faults.join("; ")}`).to.equal(true);
    }
  });
});

// SPDX-License-Identifier: Apache-2.0
import type { FhirAuditEvent } from "../../src/audit/index.js";

type Agent = FhirAuditEvent["agent"][number];
type Entity = FhirAuditEvent["entity"][number];

/** What the profiles of IHE BALP 1.1.4 ask, beyond FHIR itself. */
interface Profile {
  action: string;
  interactions: readonly string[];
  client: string;
  server: string;
  users: readonly string[];
  data: "data" | "query";
  /** Of no patient. */
  withoutPatient?: true;
}

const SOURCE = "110153";
const DESTINATION = "110152";
/** ValueSet DataSources. */
const AUTHORS = ["AUT", "INF", "CST"];
/** ValueSet RestObjectRoles. */
const DATA_ROLES = ["4", "3", "20"];

const PROFILES: Readonly<Record<string, Profile>> = {
  PatientCreate: {
    action: "C",
    interactions: ["create"],
    client: SOURCE,
    server: DESTINATION,
    users: AUTHORS,
    data: "data",
  },
  PatientRead: {
    action: "R",
    interactions: ["read", "vread"],
    client: DESTINATION,
    server: SOURCE,
    users: ["IRCP"],
    data: "data",
  },
  PatientUpdate: {
    action: "U",
    interactions: ["update", "patch"],
    client: SOURCE,
    server: DESTINATION,
    users: AUTHORS,
    data: "data",
  },
  PatientQuery: {
    action: "E",
    interactions: ["search", "search-type", "search-system"],
    client: SOURCE,
    server: DESTINATION,
    users: ["IRCP"],
    data: "query",
  },
  Query: {
    action: "E",
    interactions: ["search", "search-type", "search-system"],
    client: SOURCE,
    server: DESTINATION,
    users: ["IRCP"],
    data: "query",
    withoutPatient: true,
  },
};
const BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";

/** Names what an event lacks of the BALP profile that it claims. */
export function balpFaultsOf(event: FhirAuditEvent): string[] {
  const [url] = event.meta?.profile ?? [];
  const profile = PROFILES[url?.startsWith(BALP) === true ? url.slice(BALP.length) : ""];
  if (profile === undefined) return [`claims no BALP profile: ${url}`];
  const rules: [rule: string, holds: boolean][] = [
    ["type rest", event.type.code === "rest"],
    [
      "one subtype of the profile",
      event.subtype.filter(({ code }) => profile.interactions.includes(code)).length === 1,
    ],
    ["action", event.action === profile.action],
    ["outcome success", event.outcome === "0"],
    ["two agents", event.agent.length >= 2],
    ...sideRules("client", agentsOf(event, profile.client)),
    ...sideRules("server", agentsOf(event, profile.server)),
    ...userRules(agentsOf(event, ...profile.users)),
    ...entityRules(event.entity, profile),
  ];
  return rules.filter(([, holds]) => !holds).map(([rule]) => `${url}: ${rule}`);
}

function agentsOf(event: FhirAuditEvent, ...codes: string[]): Agent[] {
  return event.agent.filter(({ type }) => type.coding.some(({ code }) => codes.includes(code)));
}

function sideRules(side: string, agents: readonly Agent[]): [string, boolean][] {
  const [agent] = agents;
  return [
    [`one ${side}`, agents.length === 1],
    [`who of ${side}`, agent?.who !== undefined],
    [`network of ${side}`, agent?.network !== undefined],
  ];
}

function userRules(users: readonly Agent[]): [string, boolean][] {
  return [
    ["at most one user", users.length <= 1],
    [
      "user is requestor, without network",
      users.every((user) => user.requestor && user.network === undefined),
    ],
  ];
}

function entityRules(entities: readonly Entity[], { data, withoutPatient }: Profile): [string, boolean][] {
  const objects = entities.filter(({ type }) => type.code === "2");
  const [object] = objects;
  return [
    ["one object", objects.length === 1],
    ...patientRules(
      entities.filter(({ type }) => type.code === "1"),
      withoutPatient,
    ),
    ...(data === "query" ? queryRules(object) : dataRules(object)),
    ...transactionRules(entities.filter(({ type }) => type.code === "XrequestId")),
  ];
}

function patientRules(patients: readonly Entity[], without = false): [string, boolean][] {
  if (without) return [["no patient", patients.length === 0]];
  const [patient] = patients;
  return [
    ["one patient", patients.length === 1],
    ["patient's role", patient?.role?.code === "1"],
    ["patient is a reference to Patient", patient?.what?.type === "Patient"],
  ];
}

function queryRules(query: Entity | undefined): [string, boolean][] {
  return [
    ["query without what and detail", query?.what === undefined && query?.detail === undefined],
    ["query with role 24", query?.role?.code === "24"],
    ["query with its text", query?.query !== undefined],
  ];
}

function dataRules(object: Entity | undefined): [string, boolean][] {
  return [
    ["data with what", object?.what !== undefined],
    ["data with a role of its own", DATA_ROLES.includes(object?.role?.code ?? "")],
  ];
}

function transactionRules(transactions: readonly Entity[]): [string, boolean][] {
  return [
    ["at most one transaction", transactions.length <= 1],
    ["transaction has a value", transactions.every(({ what }) => what?.identifier.value !== undefined)],
  ];
}

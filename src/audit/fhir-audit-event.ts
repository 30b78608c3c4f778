// SPDX-License-Identifier: Apache-2.0

/** The parts of FHIR R4 AuditEvent (4.0.1) that are written here. */
export interface FhirAuditEvent {
  resourceType: "AuditEvent";
  id: string;
  meta?: { profile: string[] };
  type: Coding;
  subtype: Coding[];
  action: "C" | "R" | "U" | "E";
  /** instant */
  recorded: string;
  outcome: "0";
  purposeOfEvent?: CodeableConcept[];
  agent: Agent[];
  source: { observer: Reference; type: Coding[] };
  entity: Entity[];
}

export interface Coding {
  system: string;
  code: string;
  display?: string;
}

export interface CodeableConcept {
  coding: Coding[];
}

/** A logical reference: by identifier, for there is no server to point at. */
export interface Reference {
  type?: string;
  identifier: { system: string; value: string };
  display?: string;
}

export interface Agent {
  type: CodeableConcept;
  who: Reference;
  requestor: boolean;
  policy?: string[];
  network?: { address: string; type: string };
  purposeOfUse?: CodeableConcept[];
}

export interface Entity {
  what?: Reference;
  type: Coding;
  role?: Coding;
  description?: string;
  /** base64Binary */
  query?: string;
  detail?: { type: string; valueString: string }[];
}

const CODE_SYSTEMS = "http://terminology.hl7.org/CodeSystem";
const DCM = "http://dicom.nema.org/resources/ontology/DCM";
const PARTICIPATION = `${CODE_SYSTEMS}/v3-ParticipationType`;
const INTERACTION = "http://hl7.org/fhir/restful-interaction";

export const REST: Coding = {
  system: `${CODE_SYSTEMS}/audit-event-type`,
  code: "rest",
  display: "RESTful Operation",
};
export const APPLICATION_SERVER: Coding = {
  system: `${CODE_SYSTEMS}/security-source-type`,
  code: "4",
  display: "Application Server",
};

/** DICOM audit roles (PS3.15, A.5): which side the data leaves, and which it reaches. */
export const SOURCE_ROLE: Coding = { system: DCM, code: "110153", display: "Source Role ID" };
export const DESTINATION_ROLE: Coding = { system: DCM, code: "110152", display: "Destination Role ID" };
export const RECIPIENT: Coding = { system: PARTICIPATION, code: "IRCP", display: "information recipient" };
export const AUTHOR: Coding = { system: PARTICIPATION, code: "AUT", display: "author (originator)" };

export const PERSON: Coding = { system: `${CODE_SYSTEMS}/audit-entity-type`, code: "1", display: "Person" };
export const SYSTEM_OBJECT: Coding = {
  system: `${CODE_SYSTEMS}/audit-entity-type`,
  code: "2",
  display: "System Object",
};
export const TRANSACTION: Coding = {
  system: "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
  code: "XrequestId",
};
export const PATIENT_ROLE: Coding = { system: `${CODE_SYSTEMS}/object-role`, code: "1", display: "Patient" };
export const DOMAIN_RESOURCE: Coding = {
  system: `${CODE_SYSTEMS}/object-role`,
  code: "4",
  display: "Domain Resource",
};
export const QUERY_ROLE: Coding = { system: `${CODE_SYSTEMS}/object-role`, code: "24", display: "Query" };

/** FHIR network-type: URI. */
const NETWORK_URI = "5";

export function interaction(code: "create" | "read" | "update" | "search" | "operation"): Coding {
  return { system: INTERACTION, code, display: code };
}

/** An HL7 v3 purpose of use. */
export function purposeOfUse(code: string): CodeableConcept {
  return concept({ system: `${CODE_SYSTEMS}/v3-ActReason`, code });
}

export function concept(coding: Coding): CodeableConcept {
  return { coding: [coding] };
}

/** A reference by one of our URNs. @param display left out when blank, which FHIR forbids */
export function urn(name: string, type?: string, display?: string): Reference {
  return {
    ...(type === undefined ? {} : { type }),
    identifier: { system: "urn:ietf:rfc:3986", value: `urn:chartseal:${name}` },
    ...(display === undefined || display.trim() === "" ? {} : { display }),
  };
}

/** AuditEvent.agent.network: BALP wants one, and there is no IP address in a chain's log. */
export function uri(address: string): { address: string; type: string } {
  return { address, type: NETWORK_URI };
}

/** An account or a contract, as CAIP-10 names it. */
export function onChain(chainId: number, address: string): { address: string; type: string } {
  return uri(`eip155:${chainId}:${address}`);
}

// SPDX-License-Identifier: Apache-2.0
import {
  memberOf,
  type Accessed,
  type Accounting,
  type Audit,
  type AuditEntry,
  type GivenBy,
  type Lookup,
} from "./audit.js";
import {
  AUTHOR,
  DESTINATION_ROLE,
  RECIPIENT,
  SOURCE_ROLE,
  concept,
  onChain,
  purposeOfUse,
  uri,
  urn,
  type Agent,
  type Reference,
} from "./fhir-audit-event.js";
import { printable } from "../printable.js";

/** The reader's member, the custodian and the reader himself. */
export function readAgents(
  entry: Accessed,
  audit: Audit,
  client: typeof SOURCE_ROLE,
  server: typeof SOURCE_ROLE,
): Agent[] {
  const { chainId, contracts } = audit;
  const policy = entry.basis === "GRANT" ? `urn:chartseal:grant:${entry.basisRef}` : undefined;
  const patient = entry.basis === "PATIENT" ? urn(`patient:${audit.patientId}`, "Patient") : undefined;
  return [
    {
      type: concept(client),
      who: patient ?? memberReference(audit, entry.memberId),
      requestor: false,
      network: onChain(chainId, entry.reader),
    },
    {
      type: concept(server),
      who: memberReference(audit, audit.custodian),
      requestor: false,
      network: onChain(chainId, contracts.AccessLog),
    },
    {
      type: concept(RECIPIENT),
      who: patient ?? urn(`account:${entry.reader}`, "Practitioner"),
      requestor: true,
      policy: [policy ?? `urn:chartseal:basis:${entry.basis}`],
      purposeOfUse: [purposeOfUse(entry.purpose)],
    },
  ];
}

/** The reader's member, the contract in which he logged it, and the reader himself. */
export function lookupAgents({ reader, memberId, contract }: Lookup, report: Accounting): Agent[] {
  const { chainId, contracts } = report;
  const address = contracts[contract];
  return [
    {
      type: concept(SOURCE_ROLE),
      who: memberReference(report, memberId),
      requestor: false,
      network: onChain(chainId, reader),
    },
    {
      type: concept(DESTINATION_ROLE),
      who: urn(`contract:${chainId}:${address}`, "Device", contract),
      requestor: false,
      network: onChain(chainId, address),
    },
    { type: concept(RECIPIENT), who: urn(`account:${reader}`, "Practitioner"), requestor: true },
  ];
}

/** Both ends of a change, and who made it if the event says so. */
export function changeAgents(entry: AuditEntry, audit: Audit): Agent[] {
  const { chainId, contracts } = audit;
  const contract = urn(`contract:${chainId}:${contracts[entry.contract]}`, "Device", entry.contract);
  const author = authorOf(entry, audit);
  return [
    {
      type: concept(SOURCE_ROLE),
      who: author ?? contract,
      requestor: author === undefined,
      // Anyone may relay a transaction: whose account that was says nothing, so its own name stands here.
      network: uri(`urn:chartseal:transaction:${chainId}:${entry.transactionHash}`),
    },
    {
      type: concept(DESTINATION_ROLE),
      who: contract,
      requestor: false,
      network: onChain(chainId, contracts[entry.contract]),
    },
    ...(author === undefined ? [] : [{ type: concept(AUTHOR), who: author, requestor: true }]),
  ];
}

/** Who made a change; undefined when the event does not say so, or is not one that this version knows. */
function authorOf(entry: AuditEntry, audit: Audit): Reference | undefined {
  if (entry.kind === "other") return undefined;
  if (entry.kind === "grant-given") return giverReference(entry.givenBy, audit);
  if (entry.kind === "grant-revoked") return giverReference(entry.revokedBy, audit);
  if (entry.kind === "directive-set") return giverReference(entry.setBy, audit);
  if (!("details" in entry)) return memberReference(audit, memberOf(entry) ?? audit.custodian);
  const { officer, first, reader } = entry.details;
  const account = officer ?? first ?? reader;
  if (account !== undefined) return urn(`account:${account}`, "Practitioner");
  return entry.contract === "RecordRegistry" ? memberReference(audit, audit.custodian) : undefined;
}

/** Who acted for the patient: witnesses are staff of the custodian. */
function giverReference(givenBy: GivenBy, audit: Audit): Reference {
  const { patientId } = audit;
  if (givenBy === "PATIENT") return urn(`patient:${patientId}`, "Patient");
  if (givenBy === "WITNESSES") return memberReference(audit, audit.custodian);
  return urn(`${givenBy === "GUARDIANS" ? "guardians" : "delegate"}:${patientId}`, "RelatedPerson");
}

/** A member as an organization. */
function memberReference(audit: Pick<Audit, "members">, memberId: number): Reference {
  return urn(`member:${memberId}`, "Organization", printable(audit.members[memberId] ?? ""));
}

// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { isHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { memberOf, type Audit, type AuditEntry, type AuditFilter } from "./audit.js";
import { groundsOf, isEmergency, shownGrounds } from "./grounds.js";
import { localNames, memberNames, type NameSources } from "./names.js";
import { newestBlock, readPatients, type PatientRead } from "./read-patients.js";
import { REGISTRIES, perRegistry } from "./registries.js";
import { markSuspect } from "./suspect.js";

/** Whose disclosures, which of them to show, and what names them. */
export interface DisclosuresOptions extends AuditFilter, NameSources {
  /** Through the member's own node. */
  chain: Chain;
  /** Patient id: the pseudonym at his custodian. */
  patient: Hex;
}

/**
 * Reads everything that the chain holds about a patient, and checks that nothing is missing, altered or reordered:
 * the heads of every contract that keeps one are recomputed from the events that the node shows.
 * All is read at one block, the newest.
 *
 * The heads come from the same node: a node that answers both logs and storage from one made-up chain is not caught
 * here. Ask a second member's node to be sure.
 * @throws ERR_USAGE, ERR_PATIENT_UNKNOWN when no such pseudonym is registered, ERR_RPC_UNAVAILABLE
 */
export async function disclosures(options: DisclosuresOptions): Promise<Audit> {
  const { chain } = options;
  const patientId = patientIdOf(options);
  const block = await newestBlock(chain);
  const [read] = await readPatients(chain, [patientId], block.number);
  if (read!.custodian === 0) {
    // Not an empty audit that calls itself complete: a mistyped id would look like a patient nobody ever read.
    throw new ChartsealError("ERR_PATIENT_UNKNOWN", `no patient ${patientId} is registered on this chain`, {
      values: { patientId },
      hint: "a patient has another id at every custodian; `chartseal patient list` shows yours",
    });
  }
  await markSuspect(chain, [read!.entries], block.number);
  const filter = filterOf(options);
  const shown = read!.entries.filter((entry) => isShown(entry, filter));
  const members = await memberNames(chain, block.number);
  return auditOf(read!, shown, { chain, block, filter, members, names: options });
}

/** What all audits of one question share. */
export interface AuditFrame extends Pick<Audit, "block" | "filter" | "members"> {
  chain: Chain;
  /** Left out for patients that are not this member's own. */
  names?: NameSources;
}

/** One patient's audit that shows some of what was read about him. */
export function auditOf(
  { patientId, custodian, heads, entries: all }: PatientRead,
  entries: AuditEntry[],
  { chain, block, filter, members, names = {} }: AuditFrame,
): Audit {
  const local = localNames(names, patientId, entries);
  return {
    patientId,
    custodian,
    chainId: chain.deployment.chainId,
    contracts: contractsOf(chain),
    block,
    complete: heads.every((head) => head.complete),
    heads,
    filter,
    total: all.length,
    entries,
    grounds: shownGrounds(groundsOf(all), entries),
    members,
    ...(local === undefined ? {} : { local }),
  };
}

/** The contracts' addresses. */
export function contractsOf({ deployment }: Chain): Audit["contracts"] {
  return perRegistry((registry) => deployment[REGISTRIES[registry].part]);
}

function patientIdOf(options: DisclosuresOptions): Hex {
  const patientId = options.patient.toLowerCase() as Hex;
  if (!isHex(patientId, 32)) {
    throw new ChartsealError("ERR_USAGE", "a patient id is 0x and 64 hex digits", {
      hint: "`chartseal patient list` shows them",
    });
  }
  requirePeriod(options);
  if (options.reader !== undefined) accountOf(options.reader);
  return patientId;
}

/** @throws ERR_USAGE */
export function requirePeriod({ from, to }: AuditFilter): void {
  if (from !== undefined && to !== undefined && from > to) {
    throw new ChartsealError("ERR_USAGE", "the audit's period would end before it begins");
  }
}

/** In lower case. @throws ERR_USAGE */
export function accountOf(reader: Hex): Hex {
  const account = reader.toLowerCase() as Hex;
  if (isHex(account, 20)) return account;
  throw new ChartsealError("ERR_USAGE", "a reader is an account: 0x and 40 hex digits", {
    values: { reader },
  });
}

function filterOf({ from, to, member, reader }: AuditFilter): AuditFilter {
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(member === undefined ? {} : { member }),
    ...(reader === undefined ? {} : { reader: reader.toLowerCase() as Hex }),
  };
}

function isShown(entry: AuditEntry, filter: AuditFilter): boolean {
  const { member, reader } = filter;
  if (!isWithin(entry, filter)) return false;
  if (member !== undefined && memberOf(entry) !== member) return false;
  if (reader === undefined) return true;
  return entry.kind === "access" ? entry.reader === reader : isEmergencyOf(entry, reader);
}

/** Whether an entry lies in the period; both its ends do. */
export function isWithin({ at }: Pick<AuditEntry, "at">, { from, to }: AuditFilter): boolean {
  return (
    !(from !== undefined && at * 1000 < from.getTime()) && !(to !== undefined && at * 1000 > to.getTime())
  );
}

function isEmergencyOf(entry: AuditEntry, reader: Hex): boolean {
  return isEmergency(entry) && entry.details.reader === reader;
}

// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import type { Accounting, AuditEntry, AuditFilter } from "./audit.js";
import { accountOf, auditOf, contractsOf, isWithin, requirePeriod, type AuditFrame } from "./disclosures.js";
import { findPatients, withDisclosures } from "./find-patients.js";
import { isEmergency } from "./grounds.js";
import { memberNames, type NameSources } from "./names.js";
import { newestBlock, readPatients, type PatientRead } from "./read-patients.js";
import { markSuspect } from "./suspect.js";

/** Patients of whom all events are held in memory at the same time. */
const PATIENTS_AT_ONCE = 200;

/** What to account for, and with what of this member's own. */
export interface AccountingOptions extends Pick<AuditFilter, "from" | "to">, NameSources {
  /** Through the member's own node. */
  chain: Chain;
  /** What was disclosed to this account, or to this member and by it. */
  subject: Accounting["subject"];
  /** Patient ids of the asking member's vault: each is checked, whether the node shows something of him or not. */
  own: readonly Hex[];
  onProgress?: (progress: AccountingProgress) => void;
}

/** How far an accounting is. */
export interface AccountingProgress {
  /** Blocks are searched for patients, then patients' lists are checked. */
  step: "searching" | "checking";
  done: number;
  total: number;
}

/**
 * Every access and emergency of a clinician, or of a member as reader and as custodian, in a period, and whom they
 * looked for. Proven patient by patient: all heads of each patient are checked as in {@link disclosures}.
 *
 * No head counts what one clinician or one member did. Of this member's own patients, whom its vault knows, nothing
 * can be missing; of another custodian's patient, a node can hide every event, and then nobody looks at his head.
 * Each custodian can prove its own. Lookups name no patient, so no head counts them.
 * @throws ERR_USAGE, ERR_RPC_UNAVAILABLE
 */
export async function accounting(options: AccountingOptions): Promise<Accounting> {
  const { chain, onProgress = () => {} } = options;
  const subject = subjectOf(options);
  const block = await newestBlock(chain);
  const filter = periodOf(options);
  const members = await memberNames(chain, block.number);
  const onBlocks = (done: number, total: number) => onProgress({ step: "searching", done, total });
  const { patients: shown, lookups } = await findPatients({
    chain,
    subject,
    filter,
    block: block.number,
    onBlocks,
  });
  const own = new Set(options.own);
  const others = [...shown].filter((patientId) => !own.has(patientId));
  const patients = [...(await withDisclosures(chain, [...own], block.number)), ...others];
  const result: Accounting = {
    subject,
    chainId: chain.deployment.chainId,
    contracts: contractsOf(chain),
    block,
    filter,
    complete: true,
    checked: { own: own.size, others: others.length },
    audits: [],
    lookups,
    members,
  };
  await markSuspect(chain, [lookups], block.number);
  for (let done = 0; done < patients.length; done += PATIENTS_AT_ONCE) {
    onProgress({ step: "checking", done, total: patients.length });
    const group = patients.slice(done, done + PATIENTS_AT_ONCE);
    await take(result, group, { chain, block, filter, members, names: options });
  }
  return result;
}

async function take(result: Accounting, patientIds: readonly Hex[], frame: AuditFrame): Promise<void> {
  const { chain, block } = frame;
  const patients = await readPatients(chain, patientIds, block.number);
  const lists = patients.map(({ entries }) => entries);
  await markSuspect(chain, lists, block.number);
  for (const patient of patients) {
    const audit = auditOf(patient, disclosuresOf(patient, result), frame);
    result.complete &&= audit.complete;
    if (audit.entries.length > 0 || !audit.complete) result.audits.push(audit);
  }
}

/** Of a patient's events, the accesses and emergencies of the subject, in the period. */
function disclosuresOf({ custodian, entries }: PatientRead, { subject, filter }: Accounting): AuditEntry[] {
  const asCustodian = "member" in subject && subject.member === custodian;
  const windows = new Set<string | undefined>();
  return entries.filter((entry) => {
    if (entry.kind === "access") {
      const isReader =
        "member" in subject ? entry.memberId === subject.member : entry.reader === subject.clinician;
      return (asCustodian || isReader) && isWithin(entry, filter);
    }
    if (!entry.kind.startsWith("glass-") || !("details" in entry)) return false;
    const { reader, second, terms } = entry.details;
    const isOfSubject =
      "member" in subject ? entry.member === subject.member : [reader, second].includes(subject.clinician);
    if (isEmergency(entry) && (asCustodian || isOfSubject)) windows.add(terms);
    // What came of an emergency names no reader, but the window that it is about.
    return windows.has(terms) && isWithin(entry, filter);
  });
}

function subjectOf(options: AccountingOptions): Accounting["subject"] {
  requirePeriod(options);
  const { subject } = options;
  return "clinician" in subject ? { clinician: accountOf(subject.clinician) } : subject;
}

function periodOf({ from, to }: AccountingOptions): Accounting["filter"] {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

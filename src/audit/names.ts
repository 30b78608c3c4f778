// SPDX-License-Identifier: Apache-2.0
import { statementDigest, statementName } from "../access/index.js";
import { collectLogs, type Chain } from "../chain/index.js";
import { isHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { isAlteredError, type Journal } from "../records/index.js";
import type { Vault } from "../vault/index.js";
import type { AuditEntry, LocalNames } from "./audit.js";

/** Where a member's own names come from. */
export interface NameSources {
  /** The custodian's vault: names patient and compartments, and holds what was said about emergencies. */
  vault?: Pick<Vault, "compartments" | "patient" | "getSecret">;
  /** The custodian's journal: names records. */
  journal?: Pick<Journal, "itemAt" | "details">;
}

/** Members' names by id, as the chain says them up to a block. */
export async function memberNames(chain: Chain, toBlock: number): Promise<Record<number, string>> {
  const { interface: abi } = chain.members;
  const topics = [abi.getEvent("MemberAdmitted").topicHash];
  const logs = await collectLogs(chain, { address: chain.deployment.members, topics, toBlock });
  const names: Record<number, string> = {};
  for (const log of logs) {
    try {
      const args = abi.parseLog(log)?.args;
      if (args !== undefined) names[Number(args["memberId"])] = args["name"] as string;
    } catch {
      // A contract takes any bytes for a string: a name that is not UTF-8 must not spoil everyone's audits.
    }
  }
  return names;
}

/** What this member's own files say about a patient's entries; undefined without such files. */
export function localNames(
  { vault, journal }: NameSources,
  patientId: Hex,
  entries: readonly AuditEntry[],
): LocalNames | undefined {
  if (vault === undefined && journal === undefined) return undefined;
  const local: LocalNames = {
    ...ofOwnPatient(vault, patientId),
    records: {},
    statements: vault === undefined ? {} : statements(vault, entries),
  };
  const indices = new Set(
    entries.flatMap((entry) => {
      if (entry.kind === "access") return entry.indices;
      if (entry.kind === "amended" || entry.kind === "retracted") return [entry.index];
      return "details" in entry && entry.details.index !== undefined ? [Number(entry.details.index)] : [];
    }),
  );
  for (const index of indices) {
    const label = journal === undefined ? undefined : labelOf(journal, index, patientId);
    if (label !== undefined) local.records[index] = label;
  }
  return local;
}

/** A row that was altered names nothing, and spoils no audit. */
function labelOf(
  journal: NonNullable<NameSources["journal"]>,
  index: number,
  patientId: Hex,
): string | undefined {
  try {
    const item = journal.itemAt(index);
    // The journal is of one member's log: another custodian's entry of that number is another record.
    return item?.patientId === patientId ? journal.details(item.id).label : undefined;
  } catch (error) {
    if (isAlteredError(error)) return undefined;
    throw error;
  }
}

function ofOwnPatient(
  vault: NameSources["vault"],
  patientId: Hex,
): Pick<LocalNames, "patient" | "compartments"> {
  try {
    if (vault === undefined) return { compartments: {} };
    const { label, identifiers } = vault.patient(patientId);
    const known = identifiers.map(({ system, value }) => `${system}|${value}`).join(" ");
    const numbers = Object.entries(vault.compartments(patientId));
    const patient = label ?? known;
    return {
      ...(patient === "" ? {} : { patient }),
      compartments: Object.fromEntries(numbers.map(([name, number]) => [number, name])),
    };
  } catch (error) {
    // Another custodian's patient: his numbers mean nothing here.
    if (error instanceof ChartsealError && error.code === "ERR_PATIENT_UNKNOWN") return { compartments: {} };
    throw error;
  }
}

/** What this member said about emergencies, where it is what the chain's digest says. */
function statements(
  vault: NonNullable<NameSources["vault"]>,
  entries: readonly AuditEntry[],
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of entries) {
    if (!("details" in entry)) continue;
    const { terms = "", statement = "" } = entry.details;
    const kept =
      isHex(terms) && isHex(statement) ? vault.getSecret(statementName(terms, statement)) : undefined;
    if (kept === undefined) continue;
    const { salt, text } = JSON.parse(Buffer.from(kept).toString()) as { salt: Hex; text: string };
    if (statementDigest(salt, text) === statement) found[statement] = text;
  }
  return found;
}

// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { Audit, AuditHead } from "./audit.js";
import { groundsOf } from "./grounds.js";
import { isAccounting, type Report } from "./report.js";
import type { RowFinding } from "./row-finding.js";
import { parsed } from "./saved-rows.js";

type Json = Record<string, unknown>;

/**
 * Holds what a JSON report says besides its rows against the chain: whether it is complete, the heads, and what accesses
 * rest on. What may have grown since the file was made is held against what it was then: a head that counts fewer events
 * than now is not compared.
 * @returns findings of row 0, with the patient's id for `event`
 */
export function compareFacts(report: Report, text: string): RowFinding[] {
  const saved = parsed(text) ?? {};
  const findings: RowFinding[] = [];
  const name = (fields: string[], event?: string) => {
    if (fields.length === 0) return;
    findings.push({ what: "ALTERED", row: 0, ...(event === undefined ? {} : { event }), fields });
  };
  const now = JSON.parse(JSON.stringify(report)) as Report;
  if (!isAccounting(now)) {
    name(differingFacts(saved, now), now.patientId);
    return findings;
  }
  if (saved["complete"] !== now.complete) name(["complete"]);
  const audits = Array.isArray(saved["audits"]) ? (saved["audits"] as (Json | null)[]) : [];
  for (const audit of audits) {
    const found = now.audits.find(({ patientId }) => patientId === audit?.["patientId"]);
    // Of a patient that is not in it every row is unknown.
    if (found !== undefined) name(differingFacts(audit!, found), found.patientId);
  }
  return findings;
}

function differingFacts(saved: Json, now: Audit): string[] {
  return [
    ...(saved["complete"] === now.complete ? [] : ["complete"]),
    ...differingHeads(saved["heads"], now.heads),
    ...differingGrounds(saved, now),
  ];
}

function differingHeads(saved: unknown, now: readonly AuditHead[]): string[] {
  const heads = Array.isArray(saved) ? (saved as (Partial<AuditHead> | null)[]) : [];
  const isSame = (head: AuditHead, place: number) => {
    const found = heads[place];
    if (found?.registry !== head.registry) return false;
    if (typeof found.count === "number" && found.count < head.count) return found.complete === head.complete;
    return isDeepStrictEqual(found, head);
  };
  return heads.length === now.length && now.every(isSame) ? [] : ["heads"];
}

/** A ground is what it was when the file was made, or what it is now. */
function differingGrounds(saved: Json, now: Audit): string[] {
  const { number } = (saved["block"] ?? {}) as { number?: number };
  const until = now.entries.filter(({ blockNumber }) => blockNumber <= Number(number));
  const then = new Map<string, unknown>(groundsOf(until));
  const grounds = (saved["grounds"] ?? {}) as Json;
  const names = new Set([...Object.keys(grounds), ...Object.keys(now.grounds)]);
  return [...names]
    .filter((name) => {
      const current: unknown = (now.grounds as Json)[name];
      return ![current, then.get(name)].some(
        (ground) => ground !== undefined && isDeepStrictEqual(grounds[name], ground),
      );
    })
    .map((name) => `grounds.${name}`);
}

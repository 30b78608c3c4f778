// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from "../errors.js";
import type { Became } from "../ingest/index.js";
import type { Refusal } from "./refusal.js";

/** FHIR R4, http://hl7.org/fhir/operationoutcome.html */
export interface OperationOutcome {
  resourceType: "OperationOutcome";
  issue: [
    {
      severity: "error" | "warning" | "information";
      /** http://hl7.org/fhir/valueset-issue-type.html */
      code: string;
      /** An item's outcome, or a code of chartseal's. */
      details: { text: string };
      diagnostics: string;
    },
  ];
}

export type Status = 200 | 201 | 400 | 401 | 404 | 405 | 413 | 415 | 422 | 503;

/** What a client is told, with the HTTP status for it. */
export interface Answer {
  status: Status;
  outcome: OperationOutcome;
}

const TAKEN = {
  sealed: "sealed and safe; it will be anchored",
  waiting: "sealed and safe; it waits until its patient is enrolled",
  known: "taken before, with the same bytes",
  dead: "sealed and safe, but not filed under a patient: it is on the list of dead letters",
} as const;

/** By what cannot be taken as it is. */
const FAULTS: ReadonlyMap<ErrorCode, readonly [Status, string]> = new Map([
  ["ERR_JSON_INVALID", [400, "structure"]],
  ["ERR_ITEM_INVALID", [422, "invalid"]],
]);
/** By what keeps it from being taken now. */
const DELAYS: ReadonlyMap<ErrorCode, string> = new Map([
  ["ERR_BUSY", "throttled"],
  ["ERR_STORE_FULL", "no-store"],
  ["ERR_JOURNAL_LOCKED", "lock-error"],
  ["ERR_TIMEOUT", "timeout"],
  ["ERR_INTERNAL", "exception"],
]);

export function taken({ outcome, error }: Became): Answer {
  const dead = outcome === "dead";
  return {
    status: outcome === "known" ? 200 : 201,
    outcome: outcomeOf(
      dead ? "warning" : "information",
      dead ? "business-rule" : "informational",
      error?.code ?? outcome,
      TAKEN[outcome],
    ),
  };
}

export function refused({ error, later }: Refusal): Answer {
  // This member's own troubles are no sender's business: their texts name its files.
  if (later) {
    return problem(
      503,
      DELAYS.get(error.code) ?? "transient",
      error.code,
      "cannot be taken now: send it again",
    );
  }
  const [status, code] = FAULTS.get(error.code) ?? [422, "processing"];
  return problem(status, code, error.code, error.message);
}

export function problem(status: Status, code: string, text: ErrorCode, diagnostics: string): Answer {
  return { status, outcome: outcomeOf("error", code, text, diagnostics) };
}

function outcomeOf(
  severity: "error" | "warning" | "information",
  code: string,
  text: string,
  diagnostics: string,
): OperationOutcome {
  return {
    resourceType: "OperationOutcome",
    issue: [{ severity, code, details: { text }, diagnostics }],
  };
}

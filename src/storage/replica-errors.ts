// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, type ErrorCode } from "../errors.js";
import { bodyMissing } from "./store-errors.js";

/** What a replica answered, or why it did not. */
export type Outcome<T> = { replica: string; value: T } | { replica: string; error: unknown };
export interface Failure {
  replica: string;
  error: unknown;
}

export function failuresOf<T>(outcomes: readonly Outcome<T>[]): Failure[] {
  return outcomes.filter((outcome) => "error" in outcome);
}

export function valuesOf<T>(outcomes: readonly Outcome<T>[]): { replica: string; value: T }[] {
  return outcomes.filter((outcome) => "value" in outcome);
}

/** Too few replicas took a body. The code is ERR_STORE_FULL when, with room, enough would have. */
export function writeFailed(failures: readonly Failure[], reached: number, needed: number): ChartsealError {
  const only = onlyUsage(failures);
  if (only !== undefined) return only;
  const full = failures.filter(({ error }) => codeOf(error) === "ERR_STORE_FULL").length;
  const mayPass = failures.filter(({ error }) => error instanceof ChartsealError && error.retryable).length;
  const isFull = full > 0 && reached + full >= needed;
  return new ChartsealError(
    isFull ? "ERR_STORE_FULL" : "ERR_STORE_FAILED",
    `${reached} of the ${needed} replicas needed took it; ${reasonsOf(failures)}`,
    {
      values: { reached, needed, failed: namesOf(failures) },
      hint: isFull ? "free some space, then call again" : "`chartseal doctor` asks each replica",
      retryable: reached + mayPass >= needed,
      cause: failures[0]?.error,
    },
  );
}

/** No replica gave what was read for. Missing only when every one of them said so: another may still hold it. */
export function readFailed(cid: string, failures: readonly Failure[]): ChartsealError {
  const known: ErrorCode[] = ["ERR_BODY_MISSING", "ERR_BODY_TAMPERED", "ERR_USAGE"];
  const unknown = failures.filter(({ error }) => !known.includes(codeOf(error)!));
  if (unknown.length > 0) {
    return new ChartsealError("ERR_STORE_FAILED", `no replica gives ${cid}; ${reasonsOf(failures)}`, {
      values: { cid, failed: namesOf(unknown) },
      hint: "it may be on a replica that cannot be asked now; `chartseal doctor` asks each",
      retryable: true,
      cause: unknown[0]!.error,
    });
  }
  const [wrong] = failures.filter(({ error }) => codeOf(error) === "ERR_USAGE");
  if (wrong !== undefined) return wrong.error as ChartsealError;
  const tampered = failures.filter(({ error }) => codeOf(error) === "ERR_BODY_TAMPERED");
  if (tampered.length === 0) return bodyMissing(cid);
  return new ChartsealError("ERR_BODY_TAMPERED", `no replica has it whole: ${reasonsOf(failures)}`, {
    values: { ...(tampered[0]!.error as ChartsealError).values, cid, failed: namesOf(tampered) },
    hint: "import it from a CAR file that was exported before",
    cause: tampered[0]!.error,
  });
}

/** Some replicas may still hold what was to be deleted. */
export function deleteFailed(cid: string, failures: readonly Failure[]): ChartsealError {
  return new ChartsealError(
    "ERR_STORE_FAILED",
    `${cid} may still be held: ${reasonsOf(failures)}`,
    notNow(failures, { cid }),
  );
}

/** Some replicas could not be asked, and the others do not answer for them. */
export function askFailed(what: string, failures: readonly Failure[]): ChartsealError {
  return new ChartsealError("ERR_STORE_FAILED", `${what}: ${reasonsOf(failures)}`, notNow(failures, {}));
}

function notNow(failures: readonly Failure[], values: { cid?: string }) {
  return {
    values: { ...values, failed: namesOf(failures) },
    hint: "call again once every replica answers",
    retryable: true,
    cause: failures[0]?.error,
  };
}

/** A wrong use of the store is wrong in each of them. */
function onlyUsage(failures: readonly Failure[]): ChartsealError | undefined {
  const [first] = failures;
  const all = failures.every(({ error }) => codeOf(error) === "ERR_USAGE");
  return all && first !== undefined ? (first.error as ChartsealError) : undefined;
}

function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof ChartsealError ? error.code : undefined;
}

function namesOf(failures: readonly Failure[]): string {
  return failures.map(({ replica }) => replica).join(", ");
}

function reasonsOf(failures: readonly Failure[]): string {
  return failures
    .map(({ replica, error }) => {
      const { message } = error as { message?: unknown };
      const why = typeof message === "string" ? message.split("\n")[0] : "no reason given";
      return `${replica}: ${why} (${codeOf(error) ?? "unexpected"})`;
    })
    .join("; ");
}

// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, type ErrorCode } from "../errors.js";
import { ExitCode } from "./context.js";
import { Interruption, type Output } from "./io.js";
import { printable } from "../printable.js";

/** Writes an error for people or programs and gives the exit code. Never a stack, never a cause. */
export function reportError(error: unknown, json: boolean, stderr: Output): number {
  if (error instanceof Interruption) {
    if (!json) stderr.write(`chartseal: ${error.message}\n`);
    return error.exitCode;
  }
  const { code, message, values, hint, retryable } =
    error instanceof ChartsealError ? error : unexpected(error);
  if (json) {
    const shown = { code, message, values, ...(hint === undefined ? {} : { hint }), retryable };
    stderr.write(`${JSON.stringify({ error: shown })}\n`);
  } else {
    stderr.write(`chartseal: ${printable(message)}\n`);
    if (hint !== undefined) stderr.write(`  hint: ${printable(hint)}\n`);
    stderr.write(`  code: ${code}\n`);
  }
  return code === "ERR_USAGE" ? ExitCode.USAGE : ExitCode.FAILED;
}

/** An error that no part of chartseal foresaw: a defect, or the operating system. */
function unexpected(error: unknown) {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = typeof message === "string" ? message.split("\n")[0] : "no reason given";
  return {
    code: "ERR_INTERNAL" satisfies ErrorCode,
    message: `unexpected: ${text}`,
    values: typeof code === "string" ? { cause: code } : {},
    hint: "run `chartseal doctor`; if it finds nothing, report this message",
    retryable: false,
  };
}

// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, type ErrorDetails } from "../errors.js";
import { printable } from "../printable.js";

/** Longest part of what a node says that a message repeats. */
const SHOWN_CHARACTERS = 200;

/** errno names of a node that is down or was cut off: it may be back soon. */
const PASSING = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Which call of which node an error is about. */
export interface KuboCall {
  /** The node's address. */
  rpc: string;
  /** Such as `block/get`. */
  command: string;
}

/** The node did not answer, or was cut off. */
export function unreachable(call: KuboCall, cause: unknown): ChartsealError {
  const { code = "unknown" } = cause as NodeJS.ErrnoException;
  return failed(call, `cannot be reached (${code})`, {
    values: { errno: code },
    hint: "start the node, or correct store.kubo.rpc in chartseal.json",
    retryable: PASSING.has(code),
    cause,
  });
}

export function timedOut({ rpc, command }: KuboCall, ms: number): ChartsealError {
  return new ChartsealError(
    "ERR_TIMEOUT",
    `the IPFS node at ${rpc} kept ${command} waiting for ${ms / 1_000} s`,
    {
      values: { rpc, command, timeoutMs: ms },
      hint: "look at the node's load and disk, or raise store.kubo.timeout in chartseal.json",
      retryable: true,
    },
  );
}

/** An answer that no Kubo node gives. */
export function badAnswer(call: KuboCall, why: string, details: ErrorDetails = {}): ChartsealError {
  return failed(call, why, {
    hint: "store.kubo.rpc in chartseal.json must be the RPC of a Kubo node, not its gateway or another server",
    ...details,
  });
}

/** The answer ended before its end. */
export function truncated(call: KuboCall, cause?: unknown): ChartsealError {
  return failed(call, "cut its answer short", { retryable: true, cause });
}

/** An answer other than 200. */
export function refusedBy(call: KuboCall, status: number, type: string, text: string): ChartsealError {
  if (status >= 300 && status < 400) return badAnswer(call, `answers with a redirect (${status})`);
  if (status === 401 || status === 403) {
    return new ChartsealError(
      "ERR_CONFIG_INVALID",
      `the IPFS node at ${call.rpc} does not let this member call ${call.command} (${status})`,
      {
        values: { rpc: call.rpc, command: call.command, status },
        hint: "store.kubo.tokenFile must hold the token that the node's API.Authorizations names for this call",
      },
    );
  }
  if (isHtml(type)) return badAnswer(call, `answers ${status} with an HTML page`);
  if (status === 429 || (status > 500 && status < 600)) {
    return failed(call, `cannot answer now (${status})`, { values: { status }, retryable: true });
  }
  const reason = messageIn(text);
  return reason === undefined ? badAnswer(call, `answers ${status}`) : said(call, reason);
}

/** What the node says went wrong. */
export function said(call: KuboCall, message: string): ChartsealError {
  const reason = printable(message.slice(0, SHOWN_CHARACTERS));
  const { rpc, command } = call;
  if (/no space left|quota exceeded|not enough space|storage limit exceeded/i.test(message)) {
    return new ChartsealError("ERR_STORE_FULL", `no space left at the IPFS node at ${rpc}`, {
      values: { rpc, command, reason },
      hint: "free some space there, start the node anew (it keeps half-written blocks until then), then call again",
      retryable: true,
    });
  }
  if (/deadline exceeded|timed? ?out/i.test(message)) {
    return new ChartsealError("ERR_TIMEOUT", `the IPFS node at ${rpc} gave up ${command}: ${reason}`, {
      values: { rpc, command, reason },
      retryable: true,
    });
  }
  return failed(call, `says: ${reason}`, { values: { reason } });
}

/** The node's own words behind an error, or none. */
export function reasonOf(error: unknown): string {
  const reason = error instanceof ChartsealError ? error.values["reason"] : undefined;
  return typeof reason === "string" ? reason : "";
}

/** Whether the node says that it does not have a block. */
export function saysMissing(error: unknown): boolean {
  return /could not find|not found/i.test(reasonOf(error));
}

/** Whether the node says that it does not keep a body. */
export function saysUnpinned(error: unknown): boolean {
  return /not pinned/i.test(reasonOf(error));
}

export function isHtml(contentType: string): boolean {
  return /^(?:text\/html|application\/xhtml)/i.test(contentType);
}

function failed({ rpc, command }: KuboCall, why: string, details: ErrorDetails): ChartsealError {
  const values = { rpc, command, ...details.values };
  return new ChartsealError("ERR_STORE_FAILED", `the IPFS node at ${rpc}, asked for ${command}, ${why}`, {
    ...details,
    values,
  });
}

/** Kubo's errors are `{"Message":...,"Code":...,"Type":"error"}`. */
function messageIn(text: string): string | undefined {
  try {
    const { Message } = JSON.parse(text) as { Message?: unknown };
    return typeof Message === "string" ? Message : undefined;
  } catch {
    return undefined;
  }
}

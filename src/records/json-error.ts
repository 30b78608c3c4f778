// SPDX-License-Identifier: Apache-2.0
import { TextDecoder } from "node:util";
import { ChartsealError } from "../errors.js";

/** Where scanned bytes lie in their file, so that an error names a place the reader can find. */
export interface JsonOrigin {
  /** Offset of the first scanned byte in the file. */
  readonly offset: number;
  /** Line of the first scanned byte, counted from 1. */
  readonly line: number;
}

const LINE_FEED = 0x0a;

/**
 * ERR_JSON_INVALID at a byte of `bytes`. The column counts bytes from 1; the message never quotes the text,
 * which may be a patient's.
 */
export function jsonError(
  bytes: Uint8Array,
  at: number,
  origin: JsonOrigin,
  problem: string,
  hint?: string,
): ChartsealError {
  let line = origin.line;
  let lineStart = 0;
  for (
    let next = bytes.indexOf(LINE_FEED);
    next !== -1 && next < at;
    next = bytes.indexOf(LINE_FEED, next + 1)
  ) {
    line += 1;
    lineStart = next + 1;
  }
  const column = at - lineStart + 1;
  const offset = origin.offset + at;
  return new ChartsealError(
    "ERR_JSON_INVALID",
    `not valid JSON at byte ${offset} (line ${line}, column ${column}): ${problem}`,
    { values: { offset, line, column }, hint: hint ?? "correct the text at that place, or export it again" },
  );
}

/** Longest UTF-8 sequence, in bytes (RFC 3629, 3). */
const MAX_SEQUENCE = 4;
const CHUNK = 65_536;

/** Offset of the first byte that is not UTF-8; the length of `bytes` when it ends inside a character. */
export function firstInvalidUtf8(bytes: Uint8Array): number {
  let from = 0;
  const whole = new TextDecoder("utf-8", { fatal: true });
  for (; from < bytes.length; from += CHUNK) {
    if (!feeds(whole, bytes.subarray(from, from + CHUNK))) break;
  }
  // Walk the bad chunk byte by byte, from a character that begins shortly before it.
  let at = Math.max(0, Math.min(from, bytes.length) - MAX_SEQUENCE);
  while (at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  const narrow = new TextDecoder("utf-8", { fatal: true });
  while (at < bytes.length && feeds(narrow, bytes.subarray(at, at + 1))) at += 1;
  return at;
}

function feeds(decoder: TextDecoder, bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

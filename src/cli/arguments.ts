// SPDX-License-Identifier: Apache-2.0
import { getAddress, isAddress } from "ethers";
import { PURPOSES, purposeNumber, type Purpose } from "../consent/index.js";
import { isHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";

const MS_PER_DAY = 86_400_000;
/** More would be a slip of the keyboard. */
const MOST_INDICES = 10_000;

/** ISO 8601 with a zone; of the time, seconds may be left out. */
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** A day's first moment, UTC, or the exact moment given. @throws ERR_USAGE */
export function dateArgument(text: string, option: string): Date {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const date = new Date(day ? `${text}T00:00:00Z` : text);
  // Date takes 31 February for 3 March.
  const known = day ? dayText(date) === text : MOMENT.test(text) && !Number.isNaN(date.getTime());
  if (known) return date;
  throw new ChartsealError("ERR_USAGE", `${option} is not a date: ${text}`, {
    values: { option, date: text },
    hint: "a day as 2027-01-31, or a moment as 2027-01-31T12:00:00Z",
  });
}

/** As {@link dateArgument}, but a day's last second. */
export function endArgument(text: string, option: string): Date {
  const date = dateArgument(text, option);
  return text.includes("T") ? date : new Date(date.getTime() + MS_PER_DAY - 1_000);
}

/** @throws ERR_USAGE */
export function wholeNumber(text: string, option: string, least = 0): number {
  const number = Number(text);
  if (/^\d{1,15}$/.test(text) && number >= least) return number;
  throw new ChartsealError("ERR_USAGE", `${option} is not a whole number from ${least} on: ${text}`, {
    values: { option, number: text },
  });
}

/** @throws ERR_USAGE */
export function addressArgument(text: string, option: string): Hex {
  if (isAddress(text) && text.startsWith("0x")) return getAddress(text).toLowerCase() as Hex;
  throw new ChartsealError("ERR_USAGE", `${option} is not an address: 0x and 40 hexadecimal digits`, {
    values: { option, address: text },
    hint: "letters in mixed case carry a checksum; write all of them small if yours has none",
  });
}

/** 0x and 64 hexadecimal digits. @throws ERR_USAGE, without the value, which may be a key put in the wrong place */
export function hashArgument(text: string, option: string): Hex {
  const hash = text.toLowerCase();
  if (isHex(hash, 32)) return hash;
  throw new ChartsealError("ERR_USAGE", `${option} is not 0x and 64 hexadecimal digits`, {
    values: { option },
  });
}

/** @throws ERR_USAGE */
export function hexArgument(text: string, option: string): Hex {
  const hex = text.toLowerCase();
  if (isHex(hex)) return hex;
  throw new ChartsealError("ERR_USAGE", `${option} is not 0x and hexadecimal digits`, { values: { option } });
}

/** @throws ERR_USAGE */
export function purposeArgument(text: string): Purpose {
  return PURPOSES[purposeNumber(text.trim().toUpperCase())]!;
}

/** Comma-separated, without empty ones. */
export function listArgument(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

export function dayText(date: Date): string {
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 10);
}

/** A day number of the chain, 1970-01-01 being 0, as a date. */
export function dayOfNumber(day: number): string {
  return dayText(new Date(day * MS_PER_DAY));
}

/** Log indices and ranges of them: `3,17-20`. @throws ERR_USAGE */
export function indicesArgument(text: string, option: string): number[] {
  const indices = listArgument(text).flatMap((part) => {
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part) ?? [];
    const from = wholeNumber(first ?? part, option, 1);
    const count = Number(last) - from + 1;
    if (count >= 1 && count <= MOST_INDICES) return Array.from({ length: count }, (_, place) => from + place);
    throw new ChartsealError("ERR_USAGE", `${option}: ${part} is no range of 1 to ${MOST_INDICES} entries`, {
      values: { option, range: part, most: MOST_INDICES },
    });
  });
  if (indices.length > 0) return [...new Set(indices)];
  throw new ChartsealError("ERR_USAGE", `${option} names no entry`, {
    values: { option },
    hint: "indices of this member's log, such as 3,17-20",
  });
}

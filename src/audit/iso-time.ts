// SPDX-License-Identifier: Apache-2.0

/** 9999-12-31T23:59:59Z: the last second that ISO 8601 and FHIR write with four digits of year. */
const LAST_SECOND = 253_402_300_799;
/** 9999-12-31, in days since 1970-01-01. */
const LAST_DAY = 2_932_896;
const MS_PER_DAY = 86_400_000;

/** Unix seconds as ISO 8601 in UTC. What lies past the year 9999 (the chain's uint48 may) is its last second. */
export function isoTime(seconds: number): string {
  return new Date(Math.min(seconds, LAST_SECOND) * 1000).toISOString().replace(".000Z", "Z");
}

/** A day number as ISO 8601 date. What lies past the year 9999 (uint32: no end) is its last day. */
export function isoDay(day: number): string {
  return new Date(Math.min(day, LAST_DAY) * MS_PER_DAY).toISOString().slice(0, 10);
}

/** Whether a recorded period ends at all. */
export function isLastDay(day: number): boolean {
  return day >= LAST_DAY;
}

// SPDX-License-Identifier: Apache-2.0
// A module for `node --import`: a clock that is CLOCK_AHEAD milliseconds ahead (or behind), and steps by CLOCK_STEP
// once it was asked CLOCK_AFTER times. A fake: the machine's own clock is everybody's. Timers and performance.now go
// on as they do when a clock is set.
const ahead = Number(process.env["CLOCK_AHEAD"] ?? 0);
const step = Number(process.env["CLOCK_STEP"] ?? 0);
const after = Number(process.env["CLOCK_AFTER"] ?? Infinity);
const TrueDate = Date;
let asked = 0;

function now(): number {
  return TrueDate.now() + ahead + (asked++ >= after ? step : 0);
}

globalThis.Date = class extends TrueDate {
  constructor(...parts: [] | [number | string | Date]) {
    super(parts.length === 0 ? now() : (parts as [number])[0]);
  }

  static override now(): number {
    return now();
  }
} as DateConstructor;

// SPDX-License-Identifier: Apache-2.0
import type { IngestProgress, Lag, LagFigures } from "../ingest/index.js";
import type { Context } from "./context.js";

/** Milliseconds between two updates: of a line that is written anew, and of lines of a log. */
const TERMINAL_MS = 200;
const LOG_MS = 5_000;

/**
 * Says how far an ingest is: one line on a terminal, else a line every 5 s, with `--json` as an object. When a program
 * reads the objects and a person sees standard error, both get theirs.
 */
export class ProgressReport {
  readonly #context: Context;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #terminal: boolean;
  #shownAt: number;
  #loggedAt: number;
  #shownOnTerminal = false;

  /** @param now Milliseconds that only grow */
  constructor(context: Context, now = () => performance.now()) {
    this.#context = context;
    this.#now = now;
    this.#startedAt = now();
    this.#shownAt = this.#startedAt;
    this.#loggedAt = this.#startedAt;
    const { io, json } = context;
    this.#terminal = io.stderr.isTTY === true && !(json && io.stdout.isTTY === true);
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (this.#now() - this.#startedAt) / 1000;
  }

  readonly update = (progress: IngestProgress): void => {
    const { io, json } = this.#context;
    const now = this.#now();
    if (this.#terminal && now - this.#shownAt >= TERMINAL_MS) {
      this.#shownAt = now;
      io.stderr.write(`\r\u001b[K${progressLine(progress, this.seconds)}`); // ECMA-48 EL: erase to the line's end
      this.#shownOnTerminal = true;
    }
    if ((this.#terminal && !json) || now - this.#loggedAt < LOG_MS) return;
    this.#loggedAt = now;
    if (json) this.#context.print(progressEvent(progress, this.seconds), "");
    else io.stderr.write(`${progressLine(progress, this.seconds)}\n`);
  };

  /** Takes the progress line away. */
  end(): void {
    if (this.#shownOnTerminal) this.#context.io.stderr.write("\r\u001b[K");
  }
}

export function progressLine(progress: IngestProgress, seconds: number): string {
  const { read, anchored, waiting, dead, bytesRead, totalBytes } = progress;
  const parts = [`${read} read`, `${rate(read, seconds)}/s`];
  if (totalBytes !== undefined && totalBytes > 0)
    parts.push(`${Math.floor((100 * bytesRead) / totalBytes)} %`);
  const left = secondsLeft(progress, seconds);
  if (left !== undefined) parts.push(`${clock(left)} left`);
  parts.push(`${anchored} anchored`);
  if (progress.lag !== undefined) parts.push(`${span(progress.lag.received.median)} to the chain`);
  if (waiting > 0) parts.push(`${waiting} waiting`);
  if (dead > 0) parts.push(`${dead} refused`);
  return parts.join(", ");
}

function progressEvent(progress: IngestProgress, seconds: number) {
  const { read, known, sealed, waiting, dead, anchored, bytesRead, totalBytes } = progress;
  const left = secondsLeft(progress, seconds);
  return {
    event: "progress",
    read,
    known,
    sealed,
    waiting,
    dead,
    anchored,
    bytesRead,
    ...(totalBytes === undefined ? {} : { totalBytes }),
    recordsPerSecond: rate(read, seconds),
    ...(left === undefined ? {} : { secondsLeft: Math.round(left) }),
    ...(progress.lag === undefined ? {} : { lag: progress.lag }),
  };
}

/** The two lags in words, for the end of a run. */
export function lagText({ received, recorded }: Lag): string {
  const of = ({ median, most }: LagFigures) => `${span(median)} (at most ${span(most)})`;
  const since = recorded === undefined ? "" : `, ${of(recorded)} after their source's time`;
  return `records stand on chain ${of(received)} after they were read${since}`;
}

/** Seconds in the largest unit that leaves two digits. */
export function span(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function rate(count: number, seconds: number): number {
  return seconds > 0 ? Math.round(count / seconds) : 0;
}

/** By the bytes of the source; what is not known, or not yet, is not guessed. */
export function secondsLeft({ bytesRead, totalBytes }: IngestProgress, seconds: number): number | undefined {
  if (totalBytes === undefined || bytesRead === 0 || bytesRead > totalBytes) return undefined;
  return (seconds * (totalBytes - bytesRead)) / bytesRead;
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

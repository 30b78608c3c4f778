// SPDX-License-Identifier: Apache-2.0
import { all } from "./acts.js";
import type { History, LogEntry, Signature, Terms } from "./acts.js";
import { ACCOUNTS, PATIENTS, keysFor } from "./cast.js";
import { conditionOf, guardiansOf, keyOf } from "./patients.js";

/** What the choices of a step are made from. */
export interface Setting {
  history: History;
  at: number;
  terms: readonly Terms[];
}

/** Chooses parts of an act, by one number after the other; the usual ones mostly, so that most acts could be. */
export class Choice {
  readonly at: number;
  readonly history: History;
  readonly terms: readonly Terms[];
  readonly entries: readonly LogEntry[];
  readonly #picks: readonly number[];
  #next = 0;

  constructor({ history, at, terms }: Setting, picks: readonly number[]) {
    this.at = at;
    this.history = history;
    this.terms = terms;
    this.entries = all(history, "anchor").flatMap((act) => act.entries);
    this.#picks = picks;
  }

  get records(): readonly LogEntry[] {
    return this.entries.filter((entry) => entry.kind === "record");
  }

  number(below: number): number {
    const round = Math.floor(this.#next / this.#picks.length);
    return (this.#picks[this.#next++ % this.#picks.length]! + 7 * round) % below;
  }

  of<T>(options: readonly T[]): T {
    return options[this.number(options.length)]!;
  }

  mostly<T>(usual: readonly T[], others: readonly T[]): T {
    return usual.length > 0 && this.number(20) < 17 ? this.of(usual) : this.of(others);
  }

  patient(): string {
    return this.of(PATIENTS);
  }

  operator(): string {
    return this.mostly(["operator A"], ACCOUNTS);
  }

  pair(usual: readonly (readonly [string, string])[]): { first: string; second: string } {
    const [first, second] = this.mostly(usual, [[this.of(ACCOUNTS), this.of(ACCOUNTS)] as const]);
    return { first, second };
  }

  someTerms(purpose: number): Terms {
    return this.mostly(
      this.terms.filter(({ purposes }) => purposes.includes(purpose)),
      this.terms,
    );
  }

  paper(wanted: LogEntry["kind"], ref: string): LogEntry {
    return this.mostly(
      this.entries.filter((entry) => entry.kind === wanted && entry.ref === ref),
      this.entries,
    );
  }

  /** A window that was opened, the newest first, or one that was not. */
  window(): number {
    const opened = all(this.history, "breakGlass").map((act) => act.window);
    return this.of([...opened.toReversed(), 10_000]);
  }

  /** Mostly of who signs for the patient; else of another of his keys, or of too few. */
  signature(patient: string): Signature {
    const { own, next, delegate } = keysFor(patient);
    const groups = [2, 1, 3].map((count) => together(patient, count));
    const others = [one(own), one(next), one(delegate), ...groups, one(keysFor(patient).guardians[0]!)];
    return this.mostly([this.#signer(patient)], others);
  }

  #signer(patient: string): Signature {
    const key = keyOf(this.history, patient);
    const himself = key !== undefined && conditionOf(this.history, patient) === "CAPABLE";
    if (himself || !guardiansOf(this.history, patient)) return one(key ?? keysFor(patient).own);
    return together(patient, 2 + this.number(2));
  }
}

export function one(key: string): Signature {
  return { keys: [key], together: false };
}

export function together(patient: string, count: number): Signature {
  return { keys: keysFor(patient).guardians.slice(0, count), together: true };
}

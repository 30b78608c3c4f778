// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** Names the file that the runner reads the figures from. */
export const FIGURES_FILE = "CHARTSEAL_FAULT_FIGURES";

/** One thing that happened, so many times. */
export interface Figure {
  fault: string;
  what: string;
  times: number;
}

/** Counts what happened under a fault. Nothing is kept when the tests were not started by the runner. */
export class Figures {
  readonly #fault: string;
  readonly #times = new Map<string, number>();

  constructor(fault: string) {
    this.#fault = fault;
  }

  count(what: string, times = 1): void {
    this.#times.set(what, (this.#times.get(what) ?? 0) + times);
  }

  times(what: string): number {
    return this.#times.get(what) ?? 0;
  }

  /** Hands them to the runner. Call once, at the end. */
  report(): void {
    const file = process.env[FIGURES_FILE];
    if (file === undefined) return;
    for (const [what, times] of this.#times) {
      const figure: Figure = { fault: this.#fault, what, times };
      appendFileSync(file, `${JSON.stringify(figure)}\n`);
    }
  }
}

export function figuresIn(file: string): Figure[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Figure);
}

export function figuresTable(figures: readonly Figure[]): string {
  const header = { fault: "FAULT", what: "WHAT HAPPENED", times: "TIMES" };
  const width = (column: "fault" | "what") =>
    Math.max(...[header, ...figures].map((figure) => figure[column].length));
  const [fault, what] = [width("fault"), width("what")];
  return [header, ...figures]
    .map((row) => `${row.fault.padEnd(fault)}  ${row.what.padEnd(what)}  ${String(row.times).padStart(5)}\n`)
    .join("");
}

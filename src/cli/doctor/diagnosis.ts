// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";

export type State = "ok" | "warn" | "fail";

/** What one check found. */
export interface Finding {
  check: string;
  state: State;
  /** One line for people. */
  detail: string;
  /** What to do. */
  hint?: string;
}

/** The findings so far, and how checks add to them. */
export class Diagnosis {
  readonly findings: Finding[] = [];

  get failed(): boolean {
    return this.findings.some(({ state }) => state === "fail");
  }

  ok(check: string, detail: string): void {
    this.findings.push({ check, state: "ok", detail });
  }

  warn(check: string, detail: string, hint: string): void {
    this.findings.push({ check, state: "warn", detail, hint });
  }

  fail(check: string, detail: string, hint: string): void {
    this.findings.push({ check, state: "fail", detail, hint });
  }

  /** Runs a check; what it throws is a failure of that name, and the answer is undefined. */
  async attempt<T>(check: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const known = error instanceof ChartsealError;
      const { code, message } = error as { code?: string; message: string };
      const detail = known
        ? `${message} (${error.code})`
        : `${message.split("\n")[0]}${code === undefined ? "" : ` (${code})`}`;
      this.findings.push({
        check,
        state: "fail",
        detail,
        ...(known && error.hint !== undefined ? { hint: error.hint } : {}),
      });
      return undefined;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { printable } from "../../printable.js";

/** Milliseconds for which a trouble that goes on is told once. */
const REPEAT_MS = 30_000;

export async function run(context: Context): Promise<void> {
  await using chartseal = await openMember(context, { role: "releaser", chain: "expected" });
  const { memberId } = chartseal;
  chartseal.signer("releaser"); // missing, it is told before the agent says that it is ready
  const signal = context.io.interruption();
  context.print({ event: "ready", memberId }, `Member ${memberId} answers requests. Ctrl-C ends it.`);
  const troubles = new Troubles();
  await chartseal.runReleaseAgent({
    signal,
    onAnswer: ({ accessId, to, error }) => {
      const outcome =
        error === undefined ? "released" : `refused: ${printable(error.message)} (${error.code})`;
      context.print(
        { event: "answer", accessId, to, ...(error === undefined ? {} : { error: error.toJSON() }) },
        `${accessId} to member ${to}: ${outcome}`,
      );
    },
    onLate: ({ windowId, event, error }) => {
      const outcome = error === undefined ? event : `${event}: ${printable(error.message)} (${error.code})`;
      context.print(
        { event, windowId, ...(error === undefined ? {} : { error: error.toJSON() }) },
        `emergency ${windowId}: ${outcome}`,
      );
    },
    onError: (error) => {
      if (!(error instanceof ChartsealError)) throw error;
      if (!troubles.isNew(error.code)) return;
      context.print(
        { event: "trouble", error: error.toJSON() },
        `trouble, tried again until it ends: ${printable(error.message)} (${error.code})`,
      );
    },
  });
  context.print({ event: "stopped" }, "Stopped.");
}

class Troubles {
  readonly #toldAt = new Map<string, number>();

  isNew(code: string): boolean {
    const now = performance.now();
    const before = this.#toldAt.get(code);
    if (before !== undefined && now - before < REPEAT_MS) return false;
    this.#toldAt.set(code, now);
    return true;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { setTimeout } from "node:timers/promises";
import type { Chain, Writer } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import type { Withdrawal } from "../vault/index.js";
import type { AgentState } from "./stored-release.js";
import { isOnChain, isSettled, toldCall, toldIn } from "./withdrawal.js";

/** Milliseconds after which a withdrawal that the chain did not take is tried again, doubling. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

export interface RelayParts {
  chain: Chain;
  state: AgentState;
  /** Of any account: the signature that is relayed is the patient's. */
  writer: Writer;
}

/** Tells the chain what patients told this member. */
export class Relay {
  readonly #parts: RelayParts;
  readonly #paused = new Map<Hex, { nextTry: number; pause: number }>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** One look. What the chain does not take waits: it counts here meanwhile. */
  async look(onError: (error: unknown) => void = () => {}): Promise<void> {
    // The newest first: of two directives with one number the chain takes only one.
    for (const withdrawal of this.#parts.state.withdrawals.waiting().toReversed()) {
      const { key } = withdrawal;
      const { nextTry, pause } = this.#paused.get(key) ?? { nextTry: 0, pause: FIRST_PAUSE_MS };
      if (performance.now() < nextTry) continue;
      try {
        await this.#tell(withdrawal);
        this.#paused.delete(key);
      } catch (error) {
        this.#paused.set(key, {
          nextTry: performance.now() + pause,
          pause: Math.min(pause * 2, LONGEST_PAUSE_MS),
        });
        onError(error);
      }
    }
  }

  async #tell(withdrawal: Withdrawal): Promise<void> {
    const { chain, state, writer } = this.#parts;
    const told = toldIn(withdrawal);
    if (!(await isOnChain(chain, told))) await writer.execute(await chain.ask(() => toldCall(chain, told)));
    // Until then a reorganisation may take it back: it is looked at again.
    if (await isSettled(chain, told)) state.withdrawals.told(withdrawal);
  }
}

/** Milliseconds between looks at what waits. */
const LOOK_MS = 1_000;

/** Tells the chain until the signal aborts. `onError` hears of what will be tried again. */
export async function relayWithdrawals(
  parts: RelayParts,
  { signal, onError }: { signal: AbortSignal; onError?: (error: unknown) => void },
): Promise<void> {
  const relay = new Relay(parts);
  while (!signal.aborted) {
    await relay.look(onError).catch((error: unknown) => onError?.(error));
    await setTimeout(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

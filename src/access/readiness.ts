// SPDX-License-Identifier: Apache-2.0
import type { AnsweringParts } from "./answer-request.js";
import { requireReleaser } from "./release-agent.js";

/** Milliseconds for which a look at node and vault is taken as new: whoever asks often asks the node no more often. */
const FRESH_MS = 1_000;

/** What a release agent cannot do without. */
export interface Readiness {
  ready: boolean;
  /** The node answers, is on the right chain, and knows the agent as a RELEASER of its member. */
  chain: boolean;
  /** The vault opens. */
  vault: boolean;
}

/** Says whether an agent can serve. */
export class ReadinessProbe {
  readonly #parts: AnsweringParts;
  #look: Promise<Readiness> | undefined;
  #lookedAt = -Infinity;

  constructor(parts: AnsweringParts) {
    this.#parts = parts;
  }

  async now(): Promise<Readiness> {
    if (this.#look === undefined || performance.now() - this.#lookedAt > FRESH_MS) {
      this.#lookedAt = performance.now();
      this.#look = this.#ask();
    }
    return await this.#look;
  }

  async #ask(): Promise<Readiness> {
    const chain = await requireReleaser(this.#parts).then(
      () => true,
      () => false,
    );
    const vault = this.#vaultOpens();
    return { ready: chain && vault, chain, vault };
  }

  #vaultOpens(): boolean {
    try {
      this.#parts.vault.currentEpoch();
      return true;
    } catch {
      return false;
    }
  }
}

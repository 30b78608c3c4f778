// SPDX-License-Identifier: Apache-2.0
import { Emergencies, type EmergencyWindow } from "../access/index.js";
import type { Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";

/** Blocks that are looked at once more: a node may have replaced its last ones. */
const OVERLAP = 20;

/** What this member owes for emergencies and should have filed by now. */
export interface Overdue {
  /** As the reader's member. */
  justification: number;
  /** As the custodian. */
  review: number;
}

/** Follows this member's emergencies: each block's events are read once, only what is open is asked for again. */
export class OverdueEmergencies {
  readonly #chain: Chain;
  readonly #memberId: number;
  readonly #emergencies: Emergencies;
  readonly #open = new Set<Hex>();
  #nextBlock: number;

  constructor(chain: Chain, memberId: number) {
    this.#chain = chain;
    this.#memberId = memberId;
    this.#emergencies = new Emergencies(chain, readsOnly);
    this.#nextBlock = chain.deployment.fromBlock;
  }

  /** @throws ERR_RPC_UNAVAILABLE */
  async read(): Promise<Overdue> {
    const block = await this.#chain.ask(() => this.#chain.provider.getBlockNumber());
    const fromBlock = Math.max(this.#chain.deployment.fromBlock, this.#nextBlock - OVERLAP);
    const found = await this.#emergencies.list({ member: this.#memberId, fromBlock });
    for (const { windowId } of found) this.#open.add(windowId);
    this.#nextBlock = block + 1;
    const windows = await this.#emergencies.windows([...this.#open]);
    for (const window of windows) if (isDone(window)) this.#open.delete(window.windowId);
    const now = await this.#chain.time();
    const owed = (due: (window: EmergencyWindow) => boolean) => windows.filter(due).length;
    return {
      justification: owed(
        (each) => each.member === this.#memberId && !each.justified && each.justifyBy < now,
      ),
      review: owed(
        (each) => each.custodian === this.#memberId && each.verdict === undefined && each.reviewBy < now,
      ),
    };
  }
}

function isDone({ justified, verdict }: EmergencyWindow): boolean {
  return justified && verdict !== undefined;
}

function readsOnly(): never {
  throw new ChartsealError("ERR_INTERNAL", "a monitor sends no transaction");
}

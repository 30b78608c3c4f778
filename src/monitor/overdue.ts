// SPDX-License-Identifier: Apache-2.0
import { Emergencies, dutiesOf, type EmergencyDuty, type EmergencyWindow } from "../access/index.js";
import type { Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";

/** Blocks that are looked at once more: a node may have replaced its last ones. */
const OVERLAP = 20;

/** Of how many emergencies this member should have filed something by now, or may file it for who did not. */
export interface Overdue {
  /** As the reader's member, or the colleague's once that was flagged. */
  justification: number;
  /** As the custodian, or as a member of neither side. */
  review: number;
}

/**
 * Follows the emergencies of all members, for what is overdue passes on: each block's events are read once, and only
 * what may be this member's to file is asked for again.
 */
export class OverdueEmergencies {
  readonly #chain: Chain;
  readonly #memberId: number;
  readonly #emergencies: Emergencies;
  readonly #open = new Map<Hex, EmergencyWindow>();
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
    this.#keep(await this.#emergencies.list({ fromBlock }));
    this.#nextBlock = block + 1;
    const now = await this.#chain.time();
    const mine = [...this.#open.values()].filter((each) => this.#isSide(each) || each.reviewBy < now);
    const windows = await this.#emergencies.windows(mine.map(({ windowId }) => windowId));
    this.#keep(windows);
    const owed = (what: EmergencyDuty["what"]) =>
      windows.filter((each) =>
        dutiesOf(each, this.#memberId).some((duty) => duty.what === what && duty.overdue),
      ).length;
    return { justification: owed("justify"), review: owed("decide") };
  }

  #keep(windows: readonly EmergencyWindow[]): void {
    for (const window of windows) {
      if (this.#isDone(window)) this.#open.delete(window.windowId);
      else this.#open.set(window.windowId, window);
    }
  }

  /** Whether nothing of it can be this member's to file any more. */
  #isDone(window: EmergencyWindow): boolean {
    return window.verdict !== undefined && (window.justified || !this.#isSide(window));
  }

  #isSide({ member, colleagueMember, custodian }: EmergencyWindow): boolean {
    return [member, colleagueMember, custodian].includes(this.#memberId);
  }
}

function readsOnly(): never {
  throw new ChartsealError("ERR_INTERNAL", "a monitor sends no transaction");
}

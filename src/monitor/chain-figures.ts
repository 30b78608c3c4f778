// SPDX-License-Identifier: Apache-2.0
import { Transaction } from "ethers";
import type { Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { Members } from "../members/index.js";
import type { JournalFigures } from "../records/index.js";
import { OverdueEmergencies, type Overdue } from "./overdue.js";

/** Milliseconds for which the list of operators and of what is overdue is taken as new: each takes many questions. */
const SLOW_MS = 60_000;

/** An account that anchors for this member. */
export interface OperatorFigures {
  account: Hex;
  /** Unix seconds: from then on the contracts refuse it. */
  notAfter: number;
  /** Transactions in the node's pool that are not mined. */
  pending: number;
  /** Nonces that nobody holds before the first signed batch: until they are used, nothing of it is mined. */
  gap: number;
}

export interface ChainFigures {
  block: number;
  /** Unix seconds. */
  blockTime: number;
  /** Of this member, once it joined. */
  member?: {
    /** Last index of its log. */
    logHead: number;
    operators: OperatorFigures[];
    overdue: Overdue;
    /** Seconds from the arrival of the last batch's first item to its block. */
    lastBatchLag?: number;
  };
}

/** Reads what a monitor shows of the chain through this member's node. */
export class ChainReader {
  readonly #chain: Chain;
  readonly #memberId: number | undefined;
  readonly #overdue: OverdueEmergencies | undefined;
  #checked = false;
  #slow: { operators: Pick<OperatorFigures, "account" | "notAfter">[]; overdue: Overdue } | undefined;
  #slowAt = -Infinity;

  constructor(chain: Chain, memberId: number | undefined) {
    this.#chain = chain;
    this.#memberId = memberId;
    this.#overdue = memberId === undefined ? undefined : new OverdueEmergencies(chain, memberId);
  }

  /** @throws ERR_RPC_UNAVAILABLE, ERR_CHAIN_MISMATCH */
  async read(journal: JournalFigures | undefined): Promise<ChainFigures> {
    try {
      if (!this.#checked) await this.#chain.check();
      this.#checked = true;
      return await this.#read(journal);
    } catch (error) {
      // The node may come back as another.
      this.#checked = false;
      throw error;
    }
  }

  async #read(journal: JournalFigures | undefined): Promise<ChainFigures> {
    const { provider } = this.#chain;
    const newest = await this.#chain.ask(() => provider.getBlock("latest"));
    const head = { block: newest?.number ?? 0, blockTime: newest?.timestamp ?? 0 };
    if (this.#memberId === undefined) return head;
    const memberId = this.#memberId;
    const { operators, overdue } = await this.#readSlow(memberId);
    const signed = noncesOf(journal?.signed ?? []);
    const lastBatchLag = await this.#lagOf(journal?.lastBatch);
    return {
      ...head,
      member: {
        logHead: Number(await this.#chain.ask(() => this.#chain.records.headOf(memberId))),
        operators: await Promise.all(
          operators.map(async (operator) => ({
            ...operator,
            ...(await this.#nonces(operator.account, signed)),
          })),
        ),
        overdue,
        ...(lastBatchLag === undefined ? {} : { lastBatchLag }),
      },
    };
  }

  async #readSlow(memberId: number) {
    if (this.#slow === undefined || performance.now() - this.#slowAt > SLOW_MS) {
      const staff = await new Members(this.#chain).staffOf(memberId);
      const now = await this.#chain.time();
      const standing = staff.filter(
        ({ roles, revokedSince }) => roles.includes("OPERATOR") && revokedSince === undefined,
      );
      this.#slow = {
        // One that ran out long ago was replaced.
        operators: standing.filter(({ notAfter }) => notAfter > now - EXPIRED_SHOWN_S),
        overdue: await this.#overdue!.read(),
      };
      this.#slowAt = performance.now();
    }
    return this.#slow;
  }

  async #nonces(
    account: Hex,
    signed: ReadonlyMap<string, number>,
  ): Promise<{ pending: number; gap: number }> {
    const count = (at: string) =>
      this.#chain.ask(() => this.#chain.provider.getTransactionCount(account, at));
    const [mined, known] = await Promise.all([count("latest"), count("pending")]);
    const first = signed.get(account);
    const gap = first === undefined ? 0 : Math.max(0, first - Math.max(mined, known));
    return { pending: Math.max(0, known - mined), gap };
  }

  async #lagOf(last: JournalFigures["lastBatch"]): Promise<number | undefined> {
    if (last === undefined) return undefined;
    const block = await this.#chain.ask(() => this.#chain.provider.getBlock(last.blockNumber));
    return block === null ? undefined : Math.max(0, block.timestamp - last.receivedAt);
  }
}

/** Seconds for which an account that has expired is still shown, so that its alert does not vanish with it. */
const EXPIRED_SHOWN_S = 7 * 86_400;

/** The lowest nonce that each account signed for a batch that is not anchored. */
function noncesOf(signed: readonly Hex[]): Map<string, number> {
  const lowest = new Map<string, number>();
  for (const raw of signed) {
    const { from, nonce } = Transaction.from(raw);
    const account = from!.toLowerCase();
    lowest.set(account, Math.min(nonce, lowest.get(account) ?? Infinity));
  }
  return lowest;
}

// SPDX-License-Identifier: Apache-2.0
import { ROLES, type Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Message } from "./message.js";
import { requireSender, signerOf } from "./messages.js";
import { RateLimit, type Rate } from "./rate-limits.js";

/** Milliseconds for which an account counts as staff of its member: for the limits only. */
const STAFF_KNOWN_MS = 10 * 60_000;
const MOST_STAFF_KNOWN = 10_000;
/** Unknown accounts that are looked up at the same time. Whoever is known need not wait for them. */
const STRANGERS_AT_ONCE = 32;
/** The same request again: a reader whose connection broke, or one whose access is not deep enough yet. */
const REPEATS: Rate = { burst: 10, perSecond: 1 };
/** Requests that came lately. */
const MOST_ASKED = 100_000;
/** Whoever is no clinician of the member that he writes for: all of them together. */
const STRANGERS = "strangers";
/** Where everybody writes: nobody knows who brought a message. */
const FOLDER = "folder";

/** What one account, and all of a member's together, may ask. */
export interface RequestRates {
  account: Rate;
  member: Rate;
}

/** A clinician opens a chart in some requests of 64 records each; a member has many clinicians. */
const RATES: RequestRates = {
  account: { burst: 60, perSecond: 2 },
  member: { burst: 600, perSecond: 20 },
};

/** Who signed a request. */
export interface Sender {
  account: Hex;
  /** Member id. */
  memberId: number;
}

/** How often who may ask, whichever way his requests come: one for all of an agent's. */
export class RequestLimits {
  readonly #chain: Chain;
  readonly #accounts: RateLimit;
  readonly #members: RateLimit;
  readonly #repeats = new RateLimit(REPEATS);
  readonly #asked = new Set<string>();
  readonly #staff = new Map<Hex, { memberId: number; until: number }>();
  #strangers = 0;

  constructor(chain: Chain, rates = RATES) {
    this.#chain = chain;
    this.#accounts = new RateLimit(rates.account);
    this.#members = new RateLimit(rates.member);
  }

  /**
   * Takes a request that somebody brought, unless its sender asks too often.
   * @param address Of who brought it
   * @throws ERR_EXCHANGE_INVALID when it is not from staff of its member, ERR_RATE_LIMITED, ERR_RPC_UNAVAILABLE
   */
  async take(request: Message, address: string): Promise<Sender> {
    const sender = await this.#senderOf(request);
    this.#count(request, sender, address);
    return sender;
  }

  /**
   * As {@link take}, of a request that lies in a shared folder. One that is not from staff is left to who answers it,
   * and counts with those of all other strangers.
   * @throws ERR_RATE_LIMITED, ERR_RPC_UNAVAILABLE
   */
  async takeFromFolder(request: Message): Promise<void> {
    try {
      await this.take(request, FOLDER);
    } catch (error) {
      if (!(error instanceof ChartsealError) || error.code !== "ERR_EXCHANGE_INVALID") throw error;
      this.#members.take(STRANGERS);
    }
  }

  /**
   * Others may have seen a signed message, in the shared folder: brought again and again by them, it uses up no more
   * than the first time, and keeps nobody else from bringing it.
   */
  #count({ type, id }: Message, { account, memberId }: Sender, address: string): void {
    const asked = `${account} ${type} ${id}`;
    if (this.#asked.has(asked)) return this.#repeats.take(`${asked} ${address}`);
    this.#accounts.take(account);
    this.#members.take(String(memberId));
    this.#asked.add(asked);
    if (this.#asked.size > MOST_ASKED) this.#asked.delete(this.#asked.values().next().value!);
  }

  /** Who signed, so that nobody can use up what another may ask. */
  async #senderOf(request: Message): Promise<Sender> {
    const account = signerOf(this.#chain, request);
    const known = this.#staff.get(account);
    if (known?.memberId === request.from && known.until > performance.now())
      return { account, memberId: known.memberId };
    if (this.#strangers >= STRANGERS_AT_ONCE) throw busy("too many unknown accounts ask at the same time");
    this.#strangers += 1;
    try {
      await requireSender(this.#chain, request, ROLES.CLINICIAN);
    } finally {
      this.#strangers -= 1;
    }
    this.#staff.delete(account);
    this.#staff.set(account, { memberId: request.from, until: performance.now() + STAFF_KNOWN_MS });
    if (this.#staff.size > MOST_STAFF_KNOWN) this.#staff.delete(this.#staff.keys().next().value!);
    return { account, memberId: request.from };
  }
}

/** The error for what is to be asked again in a second. */
export function busy(why: string): ChartsealError {
  return new ChartsealError("ERR_RATE_LIMITED", why, { values: { retryAfter: 1 }, retryable: true });
}

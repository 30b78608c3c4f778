// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";

/** Seconds after which a sender that was told "not now" should try again. */
export const RETRY_AFTER = 5;

/** The high-water mark of what is on its way in: held in memory, and not durable yet. */
export interface RoomLimits {
  items: number;
  bytes: number;
}

/** Room for what is on its way in. What does not fit is refused at once, so that no sender can fill the memory. */
export class Room {
  readonly #limits: RoomLimits;
  #items = 0;
  #bytes = 0;
  /** Why nothing is let in whatever the room: the log is too far behind, say. */
  closed: string | undefined;

  constructor(limits: RoomLimits) {
    this.#limits = limits;
  }

  get items(): number {
    return this.#items;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return (
      this.closed !== undefined || this.#items >= this.#limits.items || this.#bytes >= this.#limits.bytes
    );
  }

  /** Room for one item, whose bytes are still to come. @throws ERR_BUSY */
  enter(): Admission {
    if (this.full) throw busy(this.closed ?? "too much is on its way in");
    this.#items++;
    return new Admission(
      (bytes) => this.#grow(bytes),
      () => this.#items--,
    );
  }

  #grow(bytes: number): void {
    if (bytes > 0 && this.#bytes + bytes > this.#limits.bytes) throw busy("too much is on its way in");
    this.#bytes += bytes;
  }
}

/** An item's place, from its first byte until it is durable or refused. */
export class Admission implements Disposable {
  readonly #grow: (bytes: number) => void;
  readonly #leave: () => void;
  #bytes = 0;
  #left = false;

  constructor(grow: (bytes: number) => void, leave: () => void) {
    this.#grow = grow;
    this.#leave = leave;
  }

  /** More of it came. @throws ERR_BUSY */
  grow(bytes: number): void {
    this.#grow(bytes);
    this.#bytes += bytes;
  }

  [Symbol.dispose](): void {
    if (this.#left) return;
    this.#left = true;
    this.#grow(-this.#bytes);
    this.#leave();
  }
}

function busy(why: string): ChartsealError {
  return new ChartsealError("ERR_BUSY", why, {
    values: { retryAfter: RETRY_AFTER },
    hint: "send it again later",
    retryable: true,
  });
}

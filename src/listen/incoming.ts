// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { Admission, Room } from "../ingest/index.js";

const FIRST_BYTES = 4_096;

/** A message that came whole, or of which only the head was kept. */
export interface Arrived {
  /** Its exact bytes; with an `error` at most the first 4 KiB. */
  bytes: Uint8Array;
  /** Why it was not kept. */
  error?: ChartsealError;
  /** To be given back once the message is answered. */
  admission: Disposable;
}

/**
 * A message on its way in, in one piece of memory: a sender of single bytes must not cost more than another. It takes
 * room as it comes; of one that is too large, or that there is no room for, only the head is kept.
 */
export class Incoming {
  readonly #mostBytes: number;
  #admission: Admission | undefined;
  #error: ChartsealError | undefined;
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  constructor(room: Room, mostBytes: number) {
    this.#mostBytes = mostBytes;
    this.#allow(() => {
      this.#admission = room.enter();
      this.#admission.grow(FIRST_BYTES);
    });
  }

  /** @returns whether the rest of it is wanted */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (this.#error === undefined && length > this.#mostBytes) this.#refuse(tooLarge(this.#mostBytes));
    if (this.#error === undefined && length > this.#bytes.length) this.#grow(length);
    const fits = piece.subarray(0, this.#bytes.length - this.#length);
    this.#bytes.set(fits, this.#length);
    this.#length += fits.length;
    return this.#error === undefined;
  }

  /** It says beforehand that it will be. */
  refuseAsTooLarge(): void {
    this.#refuse(tooLarge(this.#mostBytes));
  }

  /** It came to its end. */
  close(): Arrived {
    const bytes = this.#bytes.subarray(0, this.#length);
    const admission = this.#admission ?? { [Symbol.dispose]() {} };
    return { bytes, admission, ...(this.#error === undefined ? {} : { error: this.#error }) };
  }

  #grow(least: number): void {
    const size = Math.min(this.#mostBytes, Math.max(least, 2 * this.#bytes.length));
    this.#allow(() => this.#admission?.grow(size - this.#bytes.length));
    if (this.#error !== undefined) return;
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  #allow(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#refuse(error as ChartsealError);
    }
  }

  /** Keeps the head, for the answer, and gives the room back. */
  #refuse(error: ChartsealError): void {
    this.#error = error;
    this.#admission?.[Symbol.dispose]();
    this.#bytes = this.#bytes.slice(0, FIRST_BYTES);
    this.#length = Math.min(this.#length, FIRST_BYTES);
  }
}

function tooLarge(limit: number): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", `the message is longer than ${limit} bytes`, {
    values: { limit },
    hint: "let the listener take larger ones, or ingest it as a file",
  });
}

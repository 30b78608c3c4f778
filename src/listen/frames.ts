// SPDX-License-Identifier: Apache-2.0
import type { Room } from "../ingest/index.js";
import { Incoming, type Arrived } from "./incoming.js";

/** Block characters of MLLP (HL7 v2, Lower Layer Protocols; IHE ITI TF-2, C.2.1). */
const START_BLOCK = 0x0b;
const END_BLOCK = 0x1c;
const CARRIAGE_RETURN = 0x0d;
/** Some senders keep a connection alive with white space. */
const WHITE_SPACE: readonly number[] = [0x0d, 0x0a, 0x20, 0x09];

/** Bytes outside of frames, in a row, after which it is no MLLP that comes. */
const MOST_STRAY = 4_096;

/** What stood between the block characters. */
export interface Frame extends Arrived {
  kind: "message";
}

/** `broken`: a frame without an end, before the start of the next. `noise`: what comes is no MLLP. */
export type FrameEvent = Frame | { kind: "broken" } | { kind: "noise" };

/**
 * Finds the frames in what a connection sends, in whatever pieces. A message takes room in memory as it comes, never
 * more than the limit; of one that is too large, or that there is no room for, only the head is kept, so that it can
 * be answered at its end.
 */
export class Frames implements Disposable {
  readonly #room: Room;
  readonly #mostBytes: number;
  #frame: Incoming | undefined;
  /** The last byte was an end block: a carriage return makes it the frame's end. */
  #ending = false;
  #stray = 0;

  constructor(room: Room, mostBytes: number) {
    this.#room = room;
    this.#mostBytes = mostBytes;
  }

  /** Whether a frame has begun and not ended. */
  get open(): boolean {
    return this.#frame !== undefined;
  }

  *push(chunk: Uint8Array): Generator<FrameEvent, void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#frame === undefined) {
        const start = this.#skip(chunk, at);
        if (this.#stray > MOST_STRAY) {
          yield { kind: "noise" };
          return;
        }
        at = start + 1;
        if (start < chunk.length) this.#frame = new Incoming(this.#room, this.#mostBytes);
        continue;
      }
      const byte = chunk[at]!;
      if (this.#ending && byte === CARRIAGE_RETURN) {
        at++;
        yield this.#end(this.#frame);
      } else if (this.#ending) {
        this.#ending = false;
        this.#frame.add(Uint8Array.of(END_BLOCK));
      } else if (byte === END_BLOCK) {
        this.#ending = true;
        at++;
      } else if (byte === START_BLOCK) {
        at++;
        this.#abandon();
        this.#frame = new Incoming(this.#room, this.#mostBytes);
        yield { kind: "broken" };
      } else {
        const end = blockAt(chunk, at);
        this.#frame.add(chunk.subarray(at, end));
        at = end;
      }
    }
  }

  /** Forgets what has not ended. */
  [Symbol.dispose](): void {
    this.#abandon();
  }

  /** The place of the next start block; counts what is skipped. */
  #skip(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length && chunk[at] !== START_BLOCK; at++) {
      if (!WHITE_SPACE.includes(chunk[at]!)) this.#stray++;
    }
    if (at < chunk.length && this.#stray <= MOST_STRAY) this.#stray = 0;
    return at;
  }

  #end(frame: Incoming): Frame {
    this.#frame = undefined;
    this.#ending = false;
    return { kind: "message", ...frame.close() };
  }

  #abandon(): void {
    this.#frame?.close().admission[Symbol.dispose]();
    this.#frame = undefined;
    this.#ending = false;
  }
}

/** The next block character, or the end of the chunk. */
function blockAt(chunk: Uint8Array, from: number): number {
  for (let at = from; at < chunk.length; at++) {
    if (chunk[at] === END_BLOCK || chunk[at] === START_BLOCK) return at;
  }
  return chunk.length;
}

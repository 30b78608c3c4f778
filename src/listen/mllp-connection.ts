// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import type { Room } from "../ingest/index.js";
import type { ConnectionEvent } from "./events.js";
import { Frames, type Frame, type FrameEvent } from "./frames.js";

const START_BLOCK = Uint8Array.of(0x0b);
const END_BLOCK = Uint8Array.of(0x1c, 0x0d);
/** Messages of one connection that may wait for their answers. */
const MOST_UNANSWERED = 64;

/** Milliseconds. */
export interface MllpTimes {
  /** Without a byte while a message comes in. Default 30,000. */
  silence: number;
  /** For the whole of a message. Default 120,000. */
  message: number;
  /** Without a message on a connection. Default 600,000. */
  idle: number;
  /** Without a byte of its answers being read. Default 30,000. */
  unread: number;
}

export const MLLP_TIMES: MllpTimes = { silence: 30_000, message: 120_000, idle: 600_000, unread: 30_000 };

export interface ConnectionParts {
  room: Room;
  mostBytes: number;
  times: MllpTimes;
  /** Takes a message; never rejects. */
  take: (frame: Frame) => Promise<Uint8Array[]>;
  tell: (what: ConnectionEvent["what"]) => void;
}

/** One sender's connection. Its messages are answered in the order they came. */
export class MllpConnection {
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #frames: Frames;
  #reading: Iterator<FrameEvent> | undefined;
  #unanswered = 0;
  #answers: Promise<void> = Promise.resolve();
  #deadline: NodeJS.Timeout | undefined;
  /** The sender has said that nothing follows. */
  #ended = false;
  /** No further message is read. */
  #ending = false;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#frames = new Frames(parts.room, parts.mostBytes);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#reading = this.#frames.push(chunk);
      this.#advance();
    });
    socket.on("end", () => {
      this.#ended = true;
      if (this.#reading === undefined) this.#finish();
    });
    socket.on("timeout", () => this.#onSilence());
    socket.on("error", () => {}); // a reset: "close" follows
    socket.on("close", () => this.#onClose());
    this.#time();
  }

  /** Lets a message that has begun come to its end, then ends the connection. */
  stop(): void {
    this.#ending = true;
    // What it sent beyond what we read is not answered: it will send that again.
    if (!this.#frames.open || this.#reading !== undefined) this.#finish();
  }

  cut(): void {
    this.#socket.destroy();
  }

  /** Reads on, unless too many messages wait for their answers: then the sender waits, too. */
  #advance(): void {
    while (this.#reading !== undefined) {
      if (this.#unanswered >= MOST_UNANSWERED) {
        this.#socket.pause();
        break;
      }
      const next = this.#reading.next();
      if (next.done === true) this.#reading = undefined;
      else if (!this.#on(next.value)) return;
    }
    if (this.#reading === undefined && this.#ended) return this.#finish();
    if (this.#reading === undefined && !this.#ending) this.#socket.resume();
    this.#time();
  }

  /** @returns false when nothing more is to be read */
  #on(event: FrameEvent): boolean {
    if (event.kind === "noise") return this.#cutFor("noise");
    if (event.kind === "broken") this.#parts.tell("broken");
    else this.#take(event);
    if (event.kind === "broken" || !this.#ending) return true;
    this.#finish();
    return false;
  }

  #take(frame: Frame): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.#unanswered++;
    const taken = this.#parts.take(frame);
    this.#answers = this.#answers.then(async () => {
      for (const answer of await taken) await this.#send(answer);
      frame.admission[Symbol.dispose]();
      this.#unanswered--;
      if (this.#socket.isPaused() && !this.#ending) this.#advance();
    });
  }

  /** Waits until the sender has read enough of his answers. */
  async #send(answer: Uint8Array): Promise<void> {
    if (!this.#socket.writable) return;
    if (this.#socket.write(Buffer.concat([START_BLOCK, answer, END_BLOCK]))) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = setTimeout(() => this.#cutFor("deaf"), this.#parts.times.unread);
    this.#socket.once("drain", resolve).once("close", resolve);
    await promise;
    clearTimeout(late);
    this.#socket.off("drain", resolve).off("close", resolve);
  }

  /** No message follows: the last answers go out, then the connection ends. */
  #finish(): void {
    this.#ending = true;
    this.#socket.pause();
    this.#reading = undefined;
    this.#frames[Symbol.dispose]();
    clearTimeout(this.#deadline);
    void this.#answers.then(() => {
      this.#socket.removeAllListeners("data").removeAllListeners("timeout");
      this.#socket.end();
      this.#socket.resume();
      // A sender that never closes his side does not keep it open.
      this.#socket.setTimeout(this.#parts.times.unread, () => this.#socket.destroy());
    });
  }

  #time(): void {
    if (this.#ending && !this.#frames.open) return;
    const { silence, message, idle } = this.#parts.times;
    const { open } = this.#frames;
    this.#socket.setTimeout(open ? silence : idle);
    if (!open || this.#socket.isPaused()) {
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
    } else this.#deadline ??= setTimeout(() => this.#cutFor("slow"), message);
  }

  #onSilence(): void {
    // It waits for us.
    if (this.#unanswered > 0) this.#time();
    else this.#cutFor("silent");
  }

  #cutFor(what: ConnectionEvent["what"]): false {
    this.#parts.tell(what);
    this.cut();
    return false;
  }

  #onClose(): void {
    clearTimeout(this.#deadline);
    this.#ending = true;
    this.#reading = undefined;
    this.#frames[Symbol.dispose]();
    this.#parts.tell("closed");
  }
}

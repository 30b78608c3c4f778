// SPDX-License-Identifier: Apache-2.0

/** Longest message taken as one record. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Block characters of MLLP, which a captured stream still has (HL7 v2, Lower Layer Protocols). */
const START_BLOCK = 0x0b;
const END_BLOCK = 0x1c;
/** Segments that end the message before them. */
const BOUNDARIES: readonly string[] = ["MSH", "BHS", "FHS", "BTS", "FTS"];

/** A message, or a segment of the batch around messages. */
export type Hl7Part =
  | {
      kind: "message";
      /** Counted from 1. */
      number: number;
      /** Offset of the first byte in the stream. */
      start: number;
      /** With its last carriage return; memory of its own. Undefined when longer than {@link MAX_MESSAGE_BYTES}. */
      bytes: Uint8Array | undefined;
    }
  | { kind: "BHS" | "FHS" | "BTS" | "FTS"; text: string }
  | { kind: "stray"; start: number };

/**
 * Splits a stream of HL7 v2 messages, alone, in batches or in MLLP frames, at its segment ends (CR, and for what was
 * edited LF or CRLF). Holds one message at a time; of a message that is too long it holds nothing. Bytes outside any
 * message are "stray", once for each run of them.
 */
export async function* splitMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Hl7Part> {
  const splitter = new MessageSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.finish();
}

class MessageSplitter {
  #at = 0;
  #number = 0;
  /** Of the segment that is read: its bytes, from its first. */
  #segment: Uint8Array[] = [];
  #segmentLength = 0;
  #message: Message | undefined;
  #stray = false;

  *push(chunk: Uint8Array): Generator<Hl7Part, void> {
    let from = 0;
    for (let end = segmentEnd(chunk, 0); end !== -1; end = segmentEnd(chunk, from)) {
      this.#keep(chunk.subarray(from, end + 1));
      yield* this.#endSegment();
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  *finish(): Generator<Hl7Part, void> {
    yield* this.#endSegment();
    yield* this.#endMessage();
  }

  #keep(part: Uint8Array): void {
    this.#segmentLength += part.length;
    if (this.#segmentLength > MAX_MESSAGE_BYTES) this.#segment = this.#segment.slice(0, 1);
    else if (part.length > 0) this.#segment.push(part);
  }

  *#endSegment(): Generator<Hl7Part, void> {
    const length = this.#segmentLength;
    if (length === 0) return;
    const [only] = this.#segment;
    const bytes =
      this.#segment.length === 1
        ? Buffer.from(only!.buffer, only!.byteOffset, only!.length)
        : Buffer.concat(this.#segment);
    let start = this.#at;
    this.#at += length;
    this.#segment = [];
    this.#segmentLength = 0;
    if (bytes[0] === END_BLOCK) return yield* this.#endMessage();
    const framed = bytes[0] === START_BLOCK ? 1 : 0;
    // Some senders leave out the last segment's end before the block's.
    const ended = bytes.at(-1) === CARRIAGE_RETURN && bytes.at(-2) === END_BLOCK ? 2 : 0;
    start += framed;
    const name = bytes.toString("latin1", framed, framed + 3);
    if (framed > 0 || BOUNDARIES.includes(name)) yield* this.#endMessage();
    if (name === "MSH") {
      this.#message = new Message(start);
      this.#number++;
    }
    if (this.#message === undefined) return yield* this.#outside(name, start, bytes);
    this.#stray = false;
    this.#message.add(bytes.subarray(framed, bytes.length - ended), length - framed - ended);
    if (ended > 0) yield* this.#endMessage();
  }

  *#outside(name: string, start: number, bytes: Buffer): Generator<Hl7Part, void> {
    if (name === "BHS" || name === "FHS" || name === "BTS" || name === "FTS") {
      this.#stray = false;
      yield { kind: name, text: bytes.toString("latin1").trimEnd() };
    } else if (!this.#stray && !isBlank(bytes)) {
      this.#stray = true;
      yield { kind: "stray", start };
    }
  }

  *#endMessage(): Generator<Hl7Part, void> {
    if (this.#message === undefined) return;
    const { start, bytes } = this.#message;
    this.#message = undefined;
    yield { kind: "message", number: this.#number, start, bytes };
  }
}

/** The bytes of a message, in one piece of memory however many segments they come in. */
class Message {
  readonly start: number;
  #held: Uint8Array = new Uint8Array(4_096);
  #length = 0;

  constructor(start: number) {
    this.start = start;
  }

  /** @param length of the segment, whose bytes may have been let go */
  add(segment: Uint8Array, length: number): void {
    const before = this.#length;
    this.#length += length;
    if (this.#length > MAX_MESSAGE_BYTES) {
      this.#held = new Uint8Array();
      return;
    }
    if (this.#length > this.#held.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#held.length));
      larger.set(this.#held.subarray(0, before));
      this.#held = larger;
    }
    this.#held.set(segment, before);
  }

  /** Undefined when longer than {@link MAX_MESSAGE_BYTES}. */
  get bytes(): Uint8Array | undefined {
    return this.#length > MAX_MESSAGE_BYTES ? undefined : this.#held.slice(0, this.#length);
  }
}

function segmentEnd(chunk: Uint8Array, from: number): number {
  for (let at = from; at < chunk.length; at++) {
    const byte = chunk[at];
    if (byte === CARRIAGE_RETURN || byte === LINE_FEED) return at;
  }
  return -1;
}

/** White space, and a byte order mark. */
function isBlank(bytes: Buffer): boolean {
  return /^(?:\xef\xbb\xbf)?\s*$/.test(bytes.toString("latin1"));
}

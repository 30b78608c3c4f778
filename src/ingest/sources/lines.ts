// SPDX-License-Identifier: Apache-2.0

/** Longest line taken as one record. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** One line without its line end. */
export interface Line {
  /** Counted from 1, empty lines included. */
  readonly number: number;
  /** Offset of the first byte in the stream. */
  readonly start: number;
  /** Memory of its own; undefined when the line is longer than {@link MAX_LINE_BYTES}. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Splits a stream at LF or CRLF. Holds one line at a time; of a line that is too long it holds nothing. Empty
 * and blank lines are counted and left out.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const splitter = new LineSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.finish();
}

class LineSplitter {
  #number = 1;
  #start = 0;
  #length = 0;
  #parts: Uint8Array[] = [];

  *push(chunk: Uint8Array): Generator<Line> {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, at));
      yield* this.finish();
      from = at + 1;
      this.#number += 1;
      this.#start += this.#length + 1;
      this.#length = 0;
    }
    this.#keep(chunk.subarray(from));
  }

  /** The line gathered so far. */
  *finish(): Generator<Line> {
    const bytes = this.#length > MAX_LINE_BYTES + 1 ? undefined : withoutReturn(join(this.#parts));
    this.#parts = [];
    if (bytes !== undefined && isBlank(bytes)) return;
    const fits = bytes !== undefined && bytes.length <= MAX_LINE_BYTES;
    yield { number: this.#number, start: this.#start, bytes: fits ? bytes : undefined };
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length;
    // One byte more than the limit: it may be the carriage return of a line that just fits.
    if (this.#length > MAX_LINE_BYTES + 1) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

/** JSON white space only (RFC 8259, 2). */
function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

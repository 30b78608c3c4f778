// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { readHl7Header } from "./hl7-header.js";

/** Segments of a message. */
export const MOST_SEGMENTS = 100_000;
/** Repetitions, together, of the fields of a message that are read as lists: identifiers and names. */
export const MOST_REPETITIONS = 1_000;
/** Characters of a repetition that is looked into: an identifier, a name, a date. Other fields may be as long as they like. */
export const MOST_VALUE_LENGTH = 4_096;

/** What stands between the parts of a message (HL7 v2.9.1, 2.5.4). */
interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}

/** What the segments of one message share. */
interface Reading extends Delimiters {
  /** Repetitions that may still be read. */
  repetitionsLeft: number;
}

/** One repetition of a field. Its parts are looked up, not taken apart: what nobody asks for costs nothing. */
export class Hl7Value {
  readonly #text: string;
  readonly #delimiters: Delimiters;

  /** @throws ERR_ITEM_INVALID for one longer than {@link MOST_VALUE_LENGTH} */
  constructor(text: string, delimiters: Delimiters) {
    if (text.length > MOST_VALUE_LENGTH)
      throw beyond("characters in one identifier, name or date", MOST_VALUE_LENGTH);
    this.#text = text;
    this.#delimiters = delimiters;
  }

  /** A component's first sub-component, or another one; "" when there is none. */
  part(component: number, subcomponent = 1): string {
    const { component: between, subcomponent: within } = this.#delimiters;
    const text = pieceOf(pieceOf(this.#text, between, component), within, subcomponent);
    return unescaped(text, this.#delimiters).trim();
  }
}

/** One segment of a message; fields count from 1, as the standard counts them. */
export class Hl7Segment {
  readonly name: string;
  readonly #text: string;
  readonly #reading: Reading;

  constructor(text: string, reading: Reading) {
    this.name = pieceOf(text, reading.field, 1);
    this.#text = text;
    this.#reading = reading;
  }

  /** A field as it stands. */
  raw(field: number): string {
    const { field: separator } = this.#reading;
    if (this.name !== "MSH") return pieceOf(this.#text, separator, field + 1);
    // MSH-1 is the field separator itself.
    return field === 1 ? separator : pieceOf(this.#text, separator, field);
  }

  /**
   * A field's repetitions that are neither empty nor HL7's null (`""`).
   * @throws ERR_ITEM_INVALID when there are too many, here and in what was read of the message before
   */
  values(field: number): Hl7Value[] {
    const { repetition, repetitionsLeft } = this.#reading;
    const pieces = this.raw(field).split(repetition, repetitionsLeft + 1);
    this.#reading.repetitionsLeft -= pieces.length;
    if (this.#reading.repetitionsLeft < 0) throw beyond("identifiers and names", MOST_REPETITIONS);
    return pieces.filter(saysSomething).map((text) => new Hl7Value(text, this.#reading));
  }

  /** The first sub-component of a component of the first repetition that says something; "" when there is none. */
  text(field: number, component = 1): string {
    const { repetition } = this.#reading;
    const whole = this.raw(field);
    for (let from = 0; from < whole.length; from++) {
      if (whole[from] === repetition) continue;
      const end = whole.indexOf(repetition, from);
      const text = whole.slice(from, end < 0 ? undefined : end);
      if (saysSomething(text)) return new Hl7Value(text, this.#reading).part(component);
      from += text.length;
    }
    return "";
  }
}

export interface Hl7Message {
  /** As the WHATWG Encoding Standard names it; undefined when MSH-18 does not say, or says what nobody knows. */
  encoding: string | undefined;
  segments: readonly Hl7Segment[];
}

/**
 * Splits a message that begins with MSH; undefined when it does not. The bytes are never changed.
 * @throws ERR_ITEM_INVALID for more than {@link MOST_SEGMENTS}
 */
export function parseHl7(bytes: Uint8Array): Hl7Message | undefined {
  const header = readHl7Header(bytes);
  if (header === undefined) return undefined;
  const { encoding } = header;
  // Decoded before it is split: in GB18030 the second byte of a character may be "|", "^", "~" or "\".
  const text =
    encoding === undefined
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
      : new TextDecoder(encoding).decode(bytes);
  return { encoding, segments: segmentsOf(text) };
}

function segmentsOf(text: string): Hl7Segment[] {
  const reading: Reading = { ...delimitersOf(text), repetitionsLeft: MOST_REPETITIONS };
  const lines = text.split(/[\r\n]+/, MOST_SEGMENTS + 1).filter((line) => line !== "");
  if (lines.length > MOST_SEGMENTS) throw beyond("segments", MOST_SEGMENTS);
  return lines.map((line) => new Hl7Segment(line, reading));
}

/** MSH-1, and as much of MSH-2 as there is: it may be shorter, for who has no sub-components or escapes. */
function delimitersOf(text: string): Delimiters {
  const field = text[3]!;
  const own = /^[^\r\n]*/.exec(text.slice(4, 8))![0].split(field)[0]!;
  const [component = "^", repetition = "~", escape = "", subcomponent = "&"] = own.split("");
  return { field, component, repetition, escape, subcomponent };
}

/** The n-th of the pieces that a separator makes of a text, counted from 1; "" when there are fewer. */
function pieceOf(text: string, separator: string, number: number): string {
  let from = 0;
  for (let before = number - 1; before > 0; before--) {
    const end = text.indexOf(separator, from);
    if (end < 0) return "";
    from = end + separator.length;
  }
  const end = text.indexOf(separator, from);
  return text.slice(from, end < 0 ? undefined : end);
}

function saysSomething(repetition: string): boolean {
  return repetition !== "" && repetition !== '""';
}

/** HL7 v2.9.1, 2.7: the delimiters, and hexadecimal bytes. What is for display only is left as it stands. */
function unescaped(text: string, delimiters: Delimiters): string {
  const { field, component, repetition, escape, subcomponent } = delimiters;
  if (escape === "" || !text.includes(escape)) return text;
  const meanings = new Map([
    ["F", field],
    ["S", component],
    ["R", repetition],
    ["E", escape],
    ["T", subcomponent],
  ]);
  let read = "";
  let from = 0;
  for (let start = text.indexOf(escape), end = 0; start >= 0; start = text.indexOf(escape, end + 1)) {
    end = text.indexOf(escape, start + 1);
    if (end < 0) break;
    const code = text.slice(start + 1, end);
    const meaning = meanings.get(code) ?? bytesOf(code);
    if (meaning === undefined) continue;
    read += text.slice(from, start) + meaning;
    from = end + 1;
  }
  return read + text.slice(from);
}

function bytesOf(code: string): string | undefined {
  return code.startsWith("X") && /^X(?:[0-9A-Fa-f]{2})+$/.test(code)
    ? Buffer.from(code.slice(1), "hex").toString("latin1")
    : undefined;
}

function beyond(what: string, limit: number): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", `the message has more than ${limit} ${what}`, {
    values: { limit },
    hint: "ingest it as a file of another type, for instance as its document alone",
  });
}

// SPDX-License-Identifier: Apache-2.0
import { encodingOf } from "./hl7-encoding.js";

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const ESCAPE = 0x1b;
/** What a longer header says after them is not read. */
const MOST_HEADER_BYTES = 4_096;

/** Encodings in which a byte of a character may look like a delimiter (WHATWG Encoding Standard, 10 to 13). */
const WITH_CARE: readonly string[] = ["gb18030", "big5", "euc-kr", "iso-2022-jp"];

/**
 * The MSH segment of a message, its fields as they were sent: each character of these texts is one byte (latin1), so
 * that an answer can give them back in the sender's own encoding and with his own delimiters.
 */
export class Hl7Header {
  /** As the WHATWG Encoding Standard names it; undefined when MSH-18 does not say, or says what nobody knows. */
  readonly encoding: string | undefined;
  readonly #fields: readonly string[];

  /** @param fields MSH-1 first */
  constructor(fields: readonly string[], encoding: string | undefined) {
    this.#fields = fields;
    this.encoding = encoding;
  }

  /** Fields count from 1, as the standard counts them. */
  field(number: number): string {
    return this.#fields[number - 1] ?? "";
  }

  /** A field's first component as people read it. */
  text(number: number): string {
    return new TextDecoder(this.encoding ?? "latin1").decode(Buffer.from(this.part(number), "latin1"));
  }

  /** Field separator (MSH-1). */
  get separator(): string {
    return this.field(1);
  }

  /** Component separator, the first of MSH-2. */
  get component(): string {
    return this.field(2)[0] ?? "^";
  }

  /** A component of a field's first repetition, counted from 1. */
  part(number: number, component = 1): string {
    const repetition = this.field(2)[1] ?? "~";
    return this.field(number).split(repetition)[0]?.split(this.component)[component - 1]?.trim() ?? "";
  }
}

/**
 * The header of a message; undefined when the bytes do not begin with one, or with control characters for delimiters:
 * in an answer these would end its segment or frame. Never throws: they are anybody's.
 */
export function readHl7Header(bytes: Uint8Array): Hl7Header | undefined {
  const head = bytes.subarray(0, MOST_HEADER_BYTES);
  const end = head.findIndex((byte) => byte === CARRIAGE_RETURN || byte === LINE_FEED);
  const text = Buffer.from(end < 0 ? head : head.subarray(0, end)).toString("latin1");
  if (!/^MSH[^\w\s]/.test(text)) return undefined;
  const fields = fieldsOf(text[3]!, text.slice(4));
  if (/[\x00-\x1f\x7f]/.test(fields[0]! + fields[1]!)) return undefined;
  return new Hl7Header(fields, encodingIn(fields));
}

/** MSH-1 first. */
function fieldsOf(separator: string, rest: string): string[] {
  // MSH-18 names the encoding, and it is the encoding that says where MSH-18 is: one of them fits.
  for (const encoding of WITH_CARE) {
    const fields = [separator, ...splitWithCare(rest, separator, encoding)];
    if (encodingIn(fields) === encoding) return fields;
  }
  return [separator, ...rest.split(separator)];
}

/** Of MSH-18 the first repetition that says something: senders leave out the first, for ASCII, and name the second. */
function encodingIn(fields: readonly string[]): string | undefined {
  const [component = "^", repetition = "~"] = fields[1] ?? "";
  const named = fields[17]?.split(repetition).find((text) => text !== "" && text !== '""');
  return encodingOf(named?.split(component)[0] ?? "");
}

/** Splits at separators that are characters, not halves of one. */
function splitWithCare(text: string, separator: string, encoding: string): string[] {
  const fields: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at += lengthAt(text, at, encoding)) {
    if (text[at] !== separator) continue;
    fields.push(text.slice(from, at));
    from = at + 1;
  }
  return [...fields, text.slice(from)];
}

/** Bytes of the character at a place. */
function lengthAt(text: string, at: number, encoding: string): number {
  const first = text.charCodeAt(at);
  if (encoding === "iso-2022-jp") {
    // ESC $ begins characters of two bytes, which ESC ( ends (RFC 1468).
    if (first !== ESCAPE || text[at + 1] !== "$") return 1;
    const end = text.indexOf("\x1b(", at);
    return end < 0 ? text.length - at : end - at + 1;
  }
  if (first < 0x81 || first > 0xfe) return 1;
  const second = text.charCodeAt(at + 1);
  return encoding === "gb18030" && second >= 0x30 && second <= 0x39 ? 4 : 2;
}

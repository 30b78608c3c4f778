// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from "node:buffer";
import { createScanner } from "jsonc-parser";
import { ChartsealError } from "../errors.js";
import { firstInvalidUtf8, jsonError } from "./json-error.js";
import type { JsonOrigin } from "./json-error.js";
import type { JsonField, JsonPick, JsonShape } from "./json-pick.js";

/** Deepest nesting of arrays and objects; far beyond FHIR, small enough for the call stack. */
export const MAX_JSON_DEPTH = 512;

/** Largest text taken in one piece: twice its size is held while it is scanned. */
export const MAX_JSON_BYTES = 256 * 1024 * 1024;

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

export interface JsonScan {
  readonly kind: JsonKind;
  /** What was kept of the top-level value. */
  readonly picked: JsonPick;
}

export interface JsonScanOptions {
  /** What to keep; nothing when absent. */
  readonly shape?: JsonShape | undefined;
  readonly origin?: JsonOrigin | undefined;
}

// jsonc-parser 3.3 SyntaxKind and ScanError, whose `const enum`s isolated modules cannot import.
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const OPEN_BRACKET = 3;
const CLOSE_BRACKET = 4;
const COMMA = 5;
const COLON = 6;
const NULL = 7;
const TRUE = 8;
const FALSE = 9;
const STRING = 10;
const NUMBER = 11;
const END = 17;
const SCAN_PROBLEMS: readonly string[] = [
  "",
  "a comment is not allowed",
  "the string that begins here is not closed, or holds a line break",
  "the number is not complete",
  "the string that begins here has an incomplete \\u escape",
  "the string that begins here has an unknown escape",
  "the string that begins here holds a control character",
];

/** More keys than this in one object are looked up in a set instead of one by one. */
const FEW_KEYS = 12;

const TOO_LARGE_HINT = "export it as NDJSON, one resource per line, or as several Bundles";
const MANY_VALUES_HINT = "if the file holds one resource per line, name it .ndjson";

/**
 * Checks that `bytes` are one strict JSON text (RFC 8259) and keeps the fields that `options.shape` lists.
 *
 * Stricter than JSON.parse: an object with the same key twice is refused (two readers would disagree about
 * it), and so are invalid UTF-8 and nesting deeper than {@link MAX_JSON_DEPTH}. A byte order mark is skipped.
 * Offsets in the result count bytes of `bytes`.
 *
 * @throws ERR_JSON_INVALID with `values` offset, line and column
 * @throws ERR_ITEM_INVALID above {@link MAX_JSON_BYTES}
 */
export function scanJson(bytes: Uint8Array, options: JsonScanOptions = {}): JsonScan {
  if (bytes.length > MAX_JSON_BYTES) {
    throw new ChartsealError(
      "ERR_ITEM_INVALID",
      `JSON of ${bytes.length} bytes is larger than ${MAX_JSON_BYTES} bytes`,
      { values: { size: bytes.length, limit: MAX_JSON_BYTES }, hint: TOO_LARGE_HINT },
    );
  }
  const origin = options.origin ?? { offset: 0, line: 1 };
  if (!isUtf8(bytes)) throw jsonError(bytes, firstInvalidUtf8(bytes), origin, "the text is not UTF-8");
  return new Scan(bytes, origin).run(options.shape);
}

class Scan {
  readonly #bytes: Buffer;
  readonly #origin: JsonOrigin;
  readonly #scanner: ReturnType<typeof createScanner>;
  readonly #keySets: KeySet[] = [];
  #token: number = END;
  #start = 0;
  #end = 0;

  constructor(bytes: Uint8Array, origin: JsonOrigin) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#origin = origin;
    // One latin1 character a byte: the scanner's offsets are byte offsets, and the string costs one byte each.
    this.#scanner = createScanner(this.#bytes.toString("latin1"), false);
  }

  run(shape: JsonShape | undefined): JsonScan {
    const [a, b, c] = this.#bytes;
    if (a === 0xef && b === 0xbb && c === 0xbf) this.#end = 3; // byte order mark, RFC 8259, 8.1
    this.#next();
    const kind = kindOf(this.#token);
    const picked = this.#value(shape, 0);
    if (!this.#at(END)) throw this.#expected("nothing after the value", MANY_VALUES_HINT);
    return { kind, picked };
  }

  /** Loads the token after the current one. White space is skipped here: the scanner would copy it. */
  #next(): void {
    const bytes = this.#bytes;
    let at = this.#end;
    for (
      let byte = bytes[at];
      byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
      byte = bytes[at]
    ) {
      at += 1;
    }
    if (at !== this.#scanner.getPosition()) this.#scanner.setPosition(at);
    this.#token = this.#scanner.scan();
    this.#start = at;
    this.#end = this.#scanner.getPosition();
    const problem: number = this.#scanner.getTokenError();
    if (problem !== 0) throw this.#error(SCAN_PROBLEMS[problem] ?? "the token is not complete");
  }

  #at(token: number): boolean {
    return this.#token === token;
  }

  #value(shape: JsonShape | undefined, depth: number): JsonPick {
    switch (this.#token) {
      case OPEN_BRACE:
        return this.#object(shape === "text" ? undefined : shape, depth + 1);
      case OPEN_BRACKET:
        return this.#array(shape, depth + 1);
      case STRING: {
        const text = shape === "text" ? this.#text() : undefined;
        this.#next();
        return text;
      }
      case NUMBER:
      case TRUE:
      case FALSE:
      case NULL:
        this.#next();
        return undefined;
      default:
        throw this.#expected("a value");
    }
  }

  #object(shape: ReadonlyMap<string, JsonShape> | undefined, depth: number): JsonPick {
    this.#checkDepth(depth);
    const start = this.#start;
    const keys = this.#keysAt(depth);
    let fields: JsonField | undefined;
    this.#next();
    while (!this.#at(CLOSE_BRACE) || keys.size > 0) {
      if (!this.#at(STRING)) throw this.#expected("a property name in quotes");
      const key = this.#key();
      if (!keys.add(key)) throw this.#error("the same property name appears twice in one object");
      this.#next();
      if (!this.#at(COLON)) throw this.#expected("a colon");
      this.#next();
      const picked = this.#value(shape?.get(key), depth);
      if (picked !== undefined) fields = { name: key, value: picked, previous: fields };
      if (this.#at(CLOSE_BRACE)) break;
      if (!this.#at(COMMA)) throw this.#expected("a comma or closing brace");
      this.#next();
    }
    const end = this.#end;
    this.#next();
    return shape === undefined ? undefined : { start, end, fields };
  }

  #array(shape: JsonShape | undefined, depth: number): JsonPick {
    this.#checkDepth(depth);
    const elements: JsonPick[] | undefined = shape === undefined ? undefined : [];
    this.#next();
    for (let first = true; !this.#at(CLOSE_BRACKET) || !first; first = false) {
      const picked = this.#value(shape, depth);
      elements?.push(picked);
      if (this.#at(CLOSE_BRACKET)) break;
      if (!this.#at(COMMA)) throw this.#expected("a comma or closing bracket");
      this.#next();
    }
    this.#next();
    return elements;
  }

  /** The current string token as a property name. Plain ASCII without escapes needs no decoding. */
  #key(): string {
    const value = this.#scanner.getTokenValue();
    const plain = value.length === this.#end - this.#start - 2 && !/[\x80-\xff]/.test(value);
    return plain ? value : this.#text();
  }

  /** The current string token, decoded into a string of its own (a slice would keep the whole text alive). */
  #text(): string {
    if (this.#scanner.getTokenValue().length === this.#end - this.#start - 2) {
      return this.#bytes.toString("utf8", this.#start + 1, this.#end - 1); // no escapes
    }
    return JSON.parse(this.#bytes.toString("utf8", this.#start, this.#end)) as string;
  }

  /** The key set of the object at a depth; one is enough for all that follow one another there. */
  #keysAt(depth: number): KeySet {
    const keys = (this.#keySets[depth] ??= new KeySet());
    keys.clear();
    return keys;
  }

  #checkDepth(depth: number): void {
    if (depth > MAX_JSON_DEPTH) throw this.#error(`nesting is deeper than ${MAX_JSON_DEPTH} levels`);
  }

  #expected(what: string, hint?: string): ChartsealError {
    const found = this.#at(END) ? "the text ends too early, " : "";
    return this.#error(`${found}expected ${what}`, hint);
  }

  #error(problem: string, hint?: string): ChartsealError {
    return jsonError(this.#bytes, this.#start, this.#origin, problem, hint);
  }
}

/** The keys of one object: most have few, so an array beats a set; a hostile one may have millions. */
class KeySet {
  readonly #few: string[] = [];
  #many: Set<string> | undefined;

  get size(): number {
    return this.#many?.size ?? this.#few.length;
  }

  clear(): void {
    this.#few.length = 0;
    this.#many = undefined;
  }

  /** False when the key is there already. */
  add(key: string): boolean {
    if (this.#many !== undefined) {
      if (this.#many.has(key)) return false;
      this.#many.add(key);
      return true;
    }
    if (this.#few.includes(key)) return false;
    this.#few.push(key);
    if (this.#few.length > FEW_KEYS) this.#many = new Set(this.#few);
    return true;
  }
}

function kindOf(token: number): JsonKind {
  if (token === OPEN_BRACE) return "object";
  if (token === OPEN_BRACKET) return "array";
  if (token === STRING) return "string";
  if (token === NUMBER) return "number";
  return token === NULL ? "null" : "boolean";
}

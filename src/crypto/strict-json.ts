// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, unsupportedFormat } from "../errors.js";
import type { ErrorCode } from "../errors.js";
import { isHex } from "./bytes.js";
import type { Hex } from "./bytes.js";

/**
 * Reads one JSON object strictly: every field has its type and range, and none is unknown. Messages name
 * fields, never their values, which may be PHI.
 */
export class StrictObject {
  readonly #fields: Record<string, unknown>;
  readonly #what: string;
  readonly #code: ErrorCode;
  readonly #seen = new Set<string>();

  constructor(value: unknown, what: string, code: ErrorCode) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ChartsealError(code, `${what} is not a JSON object`);
    }
    this.#fields = value as Record<string, unknown>;
    this.#what = what;
    this.#code = code;
  }

  /** Parses text first. */
  static parse(text: string, what: string, code: ErrorCode): StrictObject {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // The parser's message quotes the text, so it is not passed on.
      throw new ChartsealError(code, `${what} is not JSON`);
    }
    return new StrictObject(value, what, code);
  }

  /** The `format` field: read it first, for nothing else is known of another format. */
  format(supported: number): void {
    const format = this.uint("format", Number.MAX_SAFE_INTEGER);
    if (format !== supported) throw unsupportedFormat(this.#what, format, supported);
  }

  uint(name: string, max: number, min = 0): number {
    const value = this.#take(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
      throw this.#invalid(`${name} must be a whole number from ${min} to ${max}`);
    }
    return value;
  }

  hex(name: string, length: number): Hex {
    const value = this.#take(name);
    if (!isHex(value, length)) throw this.#invalid(`${name} must be lower-case 0x hex of ${length} bytes`);
    return value;
  }

  string(name: string): string {
    const value = this.#take(name);
    if (typeof value !== "string") throw this.#invalid(`${name} must be a string`);
    return value;
  }

  optionalString(name: string): string | undefined {
    if (this.#fields[name] === undefined) {
      this.#seen.add(name);
      return undefined;
    }
    return this.string(name);
  }

  array(name: string, maxLength: number): unknown[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > maxLength) {
      throw this.#invalid(`${name} must be a list of at most ${maxLength}`);
    }
    return value;
  }

  object(name: string): StrictObject {
    return new StrictObject(this.#take(name), `${this.#what}: ${name}`, this.#code);
  }

  /** Call last: refuses fields nobody asked for. */
  end(): void {
    for (const name of Object.keys(this.#fields)) {
      if (!this.#seen.has(name)) {
        throw this.#invalid("it has a field that its format does not know");
      }
    }
  }

  #take(name: string): unknown {
    this.#seen.add(name);
    if (!Object.hasOwn(this.#fields, name)) throw this.#invalid(`${name} is missing`);
    return this.#fields[name];
  }

  #invalid(reason: string): ChartsealError {
    return new ChartsealError(this.#code, `${this.#what} is not valid: ${reason}`);
  }
}

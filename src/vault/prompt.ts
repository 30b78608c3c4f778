// SPDX-License-Identifier: Apache-2.0
import { openSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { ReadStream } from "node:tty";
import { ChartsealError } from "../errors.js";
import type { Unlock } from "./passphrase.js";

/** What a prompt needs of a terminal's input; `process.stdin` is one. */
export interface PromptInput {
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  setRawMode(raw: boolean): unknown;
  on(event: "data" | "end" | "error", listener: (chunk: Uint8Array | string) => void): unknown;
  off(event: "data" | "end" | "error", listener: (chunk: Uint8Array | string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface PromptTerminal {
  readonly input: PromptInput;
  readonly output: { write(text: string): unknown };
  /** Called after use: closes a terminal opened for one prompt. */
  close?(): void;
}

export interface PromptOptions {
  /** Default "Vault passphrase: ". */
  message?: string;
  /** Default: the process's terminal, also when standard input is a pipe. Questions go to standard error. */
  terminal?: PromptTerminal;
}

/**
 * Asks for the passphrase on the terminal, without showing it; a new one is asked for twice. The terminal is
 * restored in every case, also on Ctrl-C.
 * @throws ERR_VAULT_LOCKED (when the vault asks) without a terminal, on Ctrl-C, or when the two differ
 */
export function prompt(options: PromptOptions = {}): Unlock {
  return async (purpose) => {
    const message = options.message ?? "Vault passphrase: ";
    const terminal = options.terminal ?? ownTerminal();
    if (terminal.input.isTTY !== true) throw noTerminal();
    const questions = purpose === "choose" ? [message, "The same again: "] : [message];
    const [answer, again] = await ask(terminal, questions);
    if (purpose === "choose" && answer !== again) {
      throw new ChartsealError("ERR_VAULT_LOCKED", "the two passphrases differ", { retryable: true });
    }
    return Buffer.from(answer ?? "");
  };
}

function ask(terminal: PromptTerminal, questions: string[]): Promise<string[]> {
  const { input, output } = terminal;
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const wasRaw = input.isRaw ?? false;
  const typed = new TypedLines();
  const finish = (settle: () => void): void => {
    for (const [event, listener] of listeners) input.off(event, listener);
    input.setRawMode(wasRaw);
    input.pause();
    terminal.close?.();
    output.write("\n");
    settle();
  };
  const refuse = (): void => finish(() => reject(interrupted()));
  const onData = (chunk: Uint8Array | string): void => {
    const before = typed.lines.length;
    if (!typed.take(chunk)) return refuse();
    if (typed.lines.length >= questions.length) return finish(() => resolve(typed.lines));
    for (const question of questions.slice(before + 1, typed.lines.length + 1)) output.write(`\n${question}`);
  };
  const listeners = [
    ["data", onData],
    ["end", refuse],
    ["error", refuse],
  ] as const;
  for (const [event, listener] of listeners) input.on(event, listener);
  input.setRawMode(true); // before the question: nothing typed after it is ever shown
  output.write(questions[0] ?? "");
  input.resume();
  return promise;
}

/** What arrow and function keys send, no part of a passphrase: ESC [ ... or ESC O x (ECMA-48, 5.4). */
const ESCAPE_SEQUENCE = new RegExp(`\x1b(?:\\[[0-?]*[ -/]*[@-~]|O[A-Za-z])`, "g");

/** Lines typed in raw mode, with backspace, Ctrl-U (start anew) and Ctrl-D (end). */
class TypedLines {
  readonly lines: string[] = [];
  readonly #decoder = new StringDecoder("utf8");
  #line: string[] = []; // code points

  /** False when the user broke off. */
  take(chunk: Uint8Array | string): boolean {
    const text = typeof chunk === "string" ? chunk : this.#decoder.write(Buffer.from(chunk));
    for (const character of text.replace(ESCAPE_SEQUENCE, "")) {
      if (character === "\x03" || (character === "\x04" && this.#line.length === 0)) return false;
      if (character === "\r" || character === "\n" || character === "\x04") this.#end();
      else if (character === "\x7f" || character === "\b") this.#line.pop();
      else if (character === "\x15") this.#line = [];
      else if (character >= " ") this.#line.push(character);
    }
    return true;
  }

  #end(): void {
    this.lines.push(this.#line.join(""));
    this.#line = [];
  }
}

/** Standard input may be the data to ingest; then the controlling terminal is opened. */
function ownTerminal(): PromptTerminal {
  if (process.stdin.isTTY) return { input: process.stdin, output: process.stderr };
  try {
    const input = new ReadStream(openSync("/dev/tty", "r"));
    return { input, output: process.stderr, close: () => input.destroy() };
  } catch {
    throw noTerminal();
  }
}

function noTerminal(): ChartsealError {
  return new ChartsealError("ERR_VAULT_LOCKED", "there is no terminal to ask for the passphrase on", {
    hint: "use a passphrase file or a file descriptor",
  });
}

function interrupted(): ChartsealError {
  return new ChartsealError("ERR_VAULT_LOCKED", "the passphrase prompt was broken off");
}

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { EventEmitter } from "node:events";
import { prompt, type PromptTerminal, type UnlockPurpose } from "../../src/vault/index.js";
import { rejection } from "./temporary-vault.js";

/** A terminal whose user types `keys` as soon as the first question is shown. */
class FakeTerminal extends EventEmitter implements PromptTerminal {
  readonly isTTY: boolean;
  isRaw = false;
  flowing = false;
  closed = false;
  shown = "";
  readonly #keys: (string | Uint8Array)[];

  constructor(keys: (string | Uint8Array)[], isTTY = true) {
    super();
    this.#keys = keys;
    this.isTTY = isTTY;
  }

  get input(): this {
    return this;
  }

  get output(): this {
    return this;
  }

  write(text: string): void {
    expect(this.isRaw || text === "\n", "a question while the terminal echoes").to.equal(true);
    this.shown += text;
  }

  setRawMode(raw: boolean): void {
    this.isRaw = raw;
  }

  resume(): void {
    this.flowing = true;
    for (const key of this.#keys) this.emit("data", key);
  }

  pause(): void {
    this.flowing = false;
  }

  close(): void {
    this.closed = true;
  }
}

describe("prompt", () => {
  const ask = async (terminal: FakeTerminal, purpose: UnlockPurpose = "open"): Promise<string> =>
    Buffer.from(await prompt({ message: "Passphrase: ", terminal })(purpose)).toString();
  const expectRestored = (terminal: FakeTerminal): void => {
    const { isRaw, flowing, closed } = terminal;
    expect({ isRaw, flowing, closed }).to.deep.equal({ isRaw: false, flowing: false, closed: true });
    expect(terminal.eventNames()).to.deep.equal([]);
  };

  it("shows the question, never the answer, and restores the terminal", async () => {
    const terminal = new FakeTerminal(["s", "e", "crèt 李😀", "\r"]);
    expect(await ask(terminal)).to.equal("secrèt 李😀");
    expect(terminal.shown).to.equal("Passphrase: \n");
    expectRestored(terminal);
  });

  it("understands bytes cut inside a character", async () => {
    const bytes = Buffer.from("é😀\n");
    expect(await ask(new FakeTerminal([...bytes].map((byte) => Uint8Array.of(byte))))).to.equal("é😀");
  });

  it("understands backspace, Ctrl-U, arrow keys and Ctrl-D", async () => {
    expect(await ask(new FakeTerminal(["ab😀\x7f\x08c\r"]))).to.equal("ac");
    expect(await ask(new FakeTerminal(["\x7fwrong\x15right\n"]))).to.equal("right");
    expect(await ask(new FakeTerminal(["a\x1b[Ab\x1bOP\x1b[1;5Cc\tz\x00\r"]))).to.equal("abcz");
    expect(await ask(new FakeTerminal(["abc\x04"]))).to.equal("abc");
  });

  for (const [name, key] of [
    ["Ctrl-C", "abc\x03"],
    ["Ctrl-D on an empty line", "\x04"],
  ] as const) {
    it(`restores the terminal on ${name}`, async () => {
      const terminal = new FakeTerminal([key]);
      await rejection("ERR_VAULT_LOCKED", ask(terminal));
      expectRestored(terminal);
    });
  }

  it("restores the terminal when it goes away", async () => {
    for (const event of ["end", "error"]) {
      const terminal = new FakeTerminal(["abc"]);
      const answer = ask(terminal);
      terminal.emit(event, new Error("gone"));
      await rejection("ERR_VAULT_LOCKED", answer);
      expectRestored(terminal);
    }
  });

  it("asks twice for a new passphrase, also when both lines are pasted at once", async () => {
    const typed = new FakeTerminal(["one passphrase", "\r", "one pass", "phrase\r"]);
    expect(await ask(typed, "choose")).to.equal("one passphrase");
    expect(typed.shown).to.equal("Passphrase: \nThe same again: \n");
    expect(await ask(new FakeTerminal(["twice\rtwice\r"]), "choose")).to.equal("twice");
    const different = new FakeTerminal(["one\rother\r"]);
    expect((await rejection("ERR_VAULT_LOCKED", ask(different, "choose"))).retryable).to.equal(true);
    expectRestored(different);
  });

  it("refuses to ask where there is no terminal", async () => {
    const terminal = new FakeTerminal(["secret\n"], false);
    await rejection("ERR_VAULT_LOCKED", ask(terminal));
    expect(terminal.shown).to.equal("");
  });
});

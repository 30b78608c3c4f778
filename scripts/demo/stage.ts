// SPDX-License-Identifier: Apache-2.0
import { styleText } from "node:util";

/** Tells the story on the terminal and remembers whether every expectation held. */
export class Stage {
  readonly #started = performance.now();
  readonly #results: { scene: string; what: string; held: boolean }[] = [];
  #scene = "";

  /** Begins a part of the story. */
  scene(title: string): void {
    this.#scene = title;
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(0).padStart(3);
    process.stdout.write(`\n${styleText("dim", `${seconds} s`)}  ${styleText("bold", title)}\n`);
  }

  say(text: string): void {
    for (const line of text.split("\n")) process.stdout.write(`       ${line}\n`);
  }

  /** Says what must hold, and whether it does. */
  expect(what: string, held: boolean, found = ""): void {
    this.#results.push({ scene: this.#scene, what, held });
    const mark = held ? styleText("green", "✓") : styleText("red", "✗");
    process.stdout.write(`     ${mark} ${what}${held || found === "" ? "" : `\n       found: ${found}`}\n`);
  }

  /** Prints the table. @returns true when everything held */
  summary(): boolean {
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const width = Math.max(...this.#results.map((result) => result.what.length));
    process.stdout.write(`\n${styleText("bold", "What was shown")}\n`);
    let scene = "";
    for (const result of this.#results) {
      if (result.scene !== scene) process.stdout.write(`\n  ${result.scene}\n`);
      scene = result.scene;
      process.stdout.write(`    ${result.what.padEnd(width)}  ${result.held ? "held" : "FAILED"}\n`);
    }
    const failed = this.#results.filter((result) => !result.held).length;
    process.stdout.write(`\n${this.#results.length - failed} held, ${failed} failed, in ${seconds} s\n`);
    return failed === 0;
  }
}

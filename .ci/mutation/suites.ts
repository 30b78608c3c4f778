// SPDX-License-Identifier: Apache-2.0
import { glob, readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import Mocha from "mocha";
import type { Bytecode } from "./compiler.js";

const TESTS = "test/contracts/*/*.test.ts";
const TOGETHER = ["test/contracts/precedence.test.ts", "test/reference/reference.test.ts"];
/** Nobody waits: a busy machine must not count as a killed mutant. */
const TIMEOUT_MS = 10 * 60_000;

/** The contract tests, loaded once and run again for each mutant, until the first that fails. */
export class Suites {
  readonly #mocha: Mocha;
  readonly #all: Mocha.Suite[];
  readonly #originals = new Map<string, string>();
  readonly #forget: () => void;

  private constructor(mocha: Mocha, forget: () => void) {
    this.#mocha = mocha;
    this.#forget = forget;
    this.#all = [...mocha.suite.suites];
  }

  /** Those of the folder that the process is in whose path has `part` in it. */
  static async load(part: string): Promise<Suites> {
    const files = [...(await Array.fromAsync(glob(TESTS))).toSorted(), ...TOGETHER];
    const mocha = new Mocha({ timeout: TIMEOUT_MS, reporter: Silent, bail: true });
    mocha.cleanReferencesAfterRun(false);
    for (const file of files.filter((path) => path.includes(part))) mocha.addFile(resolve(file));
    await mocha.loadFilesAsync();
    const { networkHelpers } = (await import(
      pathToFileURL(resolve("test/contracts/consortium.ts")).href
    )) as { networkHelpers: { clearSnapshots(): void } };
    return new Suites(mocha, () => networkHelpers.clearSnapshots());
  }

  /** Runs the tests of these contracts, then all others. @returns the title of the test that failed, or undefined */
  async failing(contracts: readonly string[]): Promise<string | undefined> {
    const own = this.#all.filter((suite) => contracts.some((name) => suite.title.startsWith(`${name}.`)));
    return (await this.#run(own)) ?? (await this.#run(this.#all.filter((suite) => !own.includes(suite))));
  }

  async #run(suites: Mocha.Suite[]): Promise<string | undefined> {
    this.#forget();
    this.#mocha.suite.suites = suites;
    let title: string | undefined;
    await new Promise<void>((done) => {
      const runner = this.#mocha.run(() => done());
      runner.on("fail", (test: Mocha.Test) => (title ??= test.fullTitle()));
    });
    return title;
  }

  /** Puts other code into the artifacts that the tests deploy; none puts the real one back. */
  async deploy(code: ReadonlyMap<string, Bytecode>): Promise<void> {
    for (const [path, original] of this.#originals) await writeFile(path, original);
    for (const [contract, { creation, runtime }] of code) {
      const name = contract.replace(/^.*\/|\.sol$/g, "");
      const path = `artifacts/${contract}/${name}.json`;
      const text = this.#originals.get(path) ?? (await readFile(path, "utf8"));
      this.#originals.set(path, text);
      const artifact = { ...(JSON.parse(text) as object), bytecode: creation, deployedBytecode: runtime };
      await writeFile(path, JSON.stringify(artifact));
    }
  }
}

/** What fails is told by the runner's event. */
class Silent extends Mocha.reporters.Base {
  override epilogue(): void {}
}

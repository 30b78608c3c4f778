// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runChild, type ChildOptions, type ChildResult } from "../../support/child.js";
import { Consortium, PASSPHRASE, enrol, openHospital, type Hospital } from "../../support/hospital.js";
import { observation, observations } from "../../support/observations.js";
import { Figures } from "./figures.js";

const AMENDED = 4;

/** What is taken in, and how many of its entries are amended by later ones. */
export interface Load {
  lines: readonly string[];
  superseded: number;
}

/**
 * 110 items of two patients, more than are made durable together: four are amended by four more, and one is large
 * enough to be a file of its own.
 */
export const LOAD: Load = {
  lines: [
    ...observations("p", 50),
    observation({ id: "large", patient: "q", note: "x".repeat(300_000) }),
    ...observations("q", 55, 100),
    ...observations("p", AMENDED, 1, "second"),
  ],
  superseded: AMENDED,
};
/** Several batches, so that there is something between the first and the last. */
export const BATCH_ITEMS = 24;

/** What `chartseal ingest --json` left behind. */
export interface CliRun {
  /** Undefined when it was killed. */
  code: number | undefined;
  /** Its last line, when it came to an end. */
  report: { anchored: number; sealed: number; known: number; failure?: Refusal } | undefined;
  /** When it failed as a whole. */
  error: Refusal | undefined;
  output: string;
}

export interface Refusal {
  code: string;
  message: string;
  values: Readonly<Record<string, unknown>>;
}

/** A consortium whose hospitals run `chartseal` in processes of their own. */
export class Stage implements AsyncDisposable {
  consortium!: Consortium;
  /** A file that holds {@link LOAD}. */
  file = "";
  passphraseFile = "";

  static async start(): Promise<Stage> {
    const stage = new Stage();
    await stage.#start();
    return stage;
  }

  /** Gives the surrounding `describe` one, and counts what happens there under a fault. */
  static forAllTests(fault: string): { stage: Stage; figures: Figures } {
    const stage = new Stage();
    const figures = new Figures(fault);
    before(async () => await stage.#start());
    after(async () => {
      await stage[Symbol.asyncDispose]();
      figures.report();
    });
    return { stage, figures };
  }

  async #start(): Promise<void> {
    this.consortium = await Consortium.start();
    this.file = this.write("lines.ndjson", LOAD.lines);
    this.passphraseFile = join(this.consortium.folder, "passphrase");
    writeFileSync(this.passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
  }

  write(name: string, lines: readonly string[]): string {
    const file = join(this.consortium.folder, name);
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  }

  /** A hospital with patients `p` and `q`. `chainUrl` puts something between it and its node. */
  async hospital(name: string, chainUrl?: string): Promise<Hospital> {
    const place = await this.consortium.hospital(name, chainUrl);
    await using hospital = await openHospital(place);
    await enrol(hospital, "p", "q");
    return place;
  }

  /** `chartseal COMMAND...` for a hospital, with --json. */
  async run(
    place: Pick<Hospital, "config">,
    command: readonly string[],
    options: ChildOptions = {},
  ): Promise<CliRun> {
    const { lines, code, output } = await this.child(place, command, options);
    const report = lines.find(({ event }) => event === "done") as CliRun["report"];
    const said = output.split("\n").find((line) => line.startsWith('{"error"'));
    const error = said === undefined ? undefined : (JSON.parse(said) as { error: Refusal }).error;
    return { code: code ?? undefined, report, error, output };
  }

  /** As {@link run}, with all that it wrote. */
  async child(
    { config }: Pick<Hospital, "config">,
    command: readonly string[],
    options: ChildOptions = {},
  ): Promise<ChildResult> {
    const globals = ["--config", config, "--passphrase-file", this.passphraseFile, "--json"];
    const main = new URL("../../../src/cli/main.ts", import.meta.url);
    return await this.script(main, [...command, ...globals], options);
  }

  /** A program in a process of its own. The processes of a stage share what Node compiled: half of their work. */
  async script(script: URL, args: readonly string[], options: ChildOptions = {}): Promise<ChildResult> {
    const env = { ...options.env, NODE_COMPILE_CACHE: join(this.consortium.folder, "compiled") };
    return await runChild(script, args, { ...options, env });
  }

  async ingest(
    place: Pick<Hospital, "config">,
    file = this.file,
    flags: readonly string[] = [],
    options: ChildOptions = {},
  ): Promise<CliRun> {
    const command = ["ingest", file, "--batch-items", String(BATCH_ITEMS), ...flags];
    return await this.run(place, command, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.consortium[Symbol.asyncDispose]();
  }
}

/** Another configuration beside a hospital's own, with some of its fields changed. */
export function reconfigured(
  place: Hospital,
  name: string,
  changes: Readonly<Record<string, unknown>>,
): Hospital {
  const config = join(place.folder, name);
  const file = JSON.parse(readFileSync(place.config, "utf8")) as object;
  writeFileSync(config, JSON.stringify({ ...file, ...changes }), { mode: 0o600 });
  return { ...place, config };
}

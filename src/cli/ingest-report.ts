// SPDX-License-Identifier: Apache-2.0
import type { ChartsealError } from "../errors.js";
import type { IngestProgress, IngestResult } from "../ingest/index.js";
import type { EventLog } from "../monitor/index.js";
import { ExitCode, type Context } from "./context.js";
import { ProgressReport, lagText, rate } from "./progress.js";
import { printable } from "../printable.js";

/** Refused items that are shown to people one by one. */
const SHOWN = 20;

/** An item that was not taken. Its label, which may hold a name, is only in the encrypted journal. */
interface Refused {
  /** Of the item in its source, from 1. */
  number?: number;
  code: string;
  message: string;
}

/** Shows an ingest's progress and its result, and gives the exit code. */
export class IngestReport {
  readonly #context: Context;
  readonly #progress: ProgressReport;
  readonly #numberOf: (label: string) => number | undefined;
  readonly #refused: Refused[] = [];
  readonly #log: EventLog | undefined;
  #seen: IngestProgress | undefined;

  constructor(context: Context, numberOf: (label: string) => number | undefined, log?: EventLog) {
    this.#context = context;
    this.#log = log;
    this.#progress = new ProgressReport(context);
    this.#numberOf = numberOf;
  }

  readonly update = (progress: IngestProgress): void => {
    this.#seen = progress;
    // While the run goes on, for a source forgets the numbers of items that are long read.
    this.#take((progress as Partial<IngestResult>).refused ?? []);
    this.#progress.update(progress);
  };

  /** After Ctrl-C: what is safe. */
  interrupted(): void {
    this.#progress.end();
    const { read = 0, sealed = 0, anchored = 0 } = this.#seen ?? {};
    const safe = `${read} items read, ${sealed} newly sealed and safe, ${anchored} anchored`;
    this.#context.note(`Stopped: ${safe}. Run the same command again to go on.`);
    if (this.#context.json) this.#context.print({ event: "stopped", read, sealed, anchored }, "");
    this.#log?.event("stopped", { read, sealed, anchored });
  }

  finish(result: IngestResult): number {
    this.#progress.end();
    this.#take(result.refused);
    const { seconds } = this.#progress;
    this.#context.print(
      resultEvent(result, this.#refused, seconds),
      resultText(result, this.#refused, seconds),
    );
    this.#record(result, seconds);
    const { waiting, dead, held, events, failure } = result;
    const whole = waiting + dead + held + events === 0 && failure === undefined;
    return whole ? ExitCode.DONE : ExitCode.PARTLY;
  }

  #record(result: IngestResult, seconds: number): void {
    const { read, known, sealed, waiting, dead, anchored, superseded, failure } = result;
    const milliseconds = Math.round(1000 * seconds);
    this.#log?.event("ingested", { read, known, sealed, waiting, dead, anchored, superseded, milliseconds });
    if (failure !== undefined) this.#log?.error("not-anchored", failure);
  }

  #take(refused: readonly { label: string; error: ChartsealError }[]): void {
    for (const { label, error } of refused.slice(this.#refused.length)) {
      const number = this.#numberOf(label);
      this.#log?.error("refused", error, { index: number });
      this.#refused.push({
        ...(number === undefined ? {} : { number }),
        code: error.code,
        message: error.message,
      });
    }
  }
}

function resultEvent(result: IngestResult, refused: readonly Refused[], seconds: number) {
  const { read, known, sealed, waiting, dead, anchored, superseded, failure } = result;
  const { retracted, held, followed, events } = result;
  return {
    event: "done",
    read,
    known,
    sealed,
    waiting,
    dead,
    anchored,
    ...{ superseded, retracted, held, followed, events },
    batches: result.batches.map(({ firstIndex, count, gasUsed = 0, transactionHash, blockNumber }) => ({
      firstIndex,
      count,
      gasUsed,
      gasPerRecord: Math.round((10 * gasUsed) / count) / 10,
      transactionHash,
      blockNumber,
    })),
    refused,
    seconds: Math.round(1000 * seconds) / 1000,
    recordsPerSecond: rate(read, seconds),
    ...(result.lag === undefined ? {} : { lag: result.lag }),
    ...(failure === undefined ? {} : { failure: failure.toJSON() }),
  };
}

function resultText(result: IngestResult, refused: readonly Refused[], seconds: number): string {
  const { read, known, sealed, waiting, dead, anchored, superseded, failure } = result;
  const lines = [
    `${read} read in ${seconds.toFixed(1)} s (${rate(read, seconds)}/s): ${sealed} sealed, ${known} known before, ${waiting} waiting, ${dead} refused`,
    `${anchored} anchored in ${result.batches.length} batches, ${superseded} older entries superseded`,
    ...eventLines(result),
  ];
  const gas = result.batches.reduce((sum, { gasUsed = 0 }) => sum + gasUsed, 0);
  if (anchored > 0) lines.push(`${(gas / anchored).toFixed(1)} gas a record`);
  if (result.lag !== undefined) lines.push(lagText(result.lag));
  for (const { number, message, code } of refused.slice(0, SHOWN)) {
    lines.push(
      `refused: ${number === undefined ? "an item" : `item ${number}`}: ${printable(message)} (${code})`,
    );
  }
  if (refused.length > SHOWN) lines.push(`... and ${refused.length - SHOWN} more`);
  if (waiting + dead > 0) lines.push("`chartseal status --list` names what waits and what was refused.");
  if (failure !== undefined) {
    lines.push(`Not all is anchored yet: ${printable(failure.message)} (${failure.code})`);
    lines.push("It is safe; `chartseal retry` goes on.");
  }
  return lines.join("\n");
}

/** What followed of what the items say; nothing for most runs. */
function eventLines({ retracted, held, followed, events }: IngestResult): string[] {
  const lines: string[] = [];
  if (retracted > 0) lines.push(`${retracted} entries retracted, for their source took them back`);
  if (held > 0)
    lines.push(`${held} entries would be retracted, but are under legal hold: \`chartseal hold lift\` first`);
  if (followed > 0) lines.push(`${followed} messages about who is who followed, in the vault`);
  if (events > 0)
    lines.push(`${events} items wait for a patient or a person's decision: \`chartseal status --list\``);
  return lines;
}

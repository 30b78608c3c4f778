// SPDX-License-Identifier: Apache-2.0
import { watch, type FSWatcher } from "node:fs";
import { lstat, mkdir, realpath, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ChartsealError, type ErrorCode } from "../errors.js";
import { fileItems, type Became, type LiveIntake } from "../ingest/index.js";
import { isBadItem, type BadItem, type SourceItem } from "../records/index.js";
import type { Tally } from "./events.js";
import { DONE, FAILED, Resting, scan, stateOf, type OutboxFile } from "./outbox-scan.js";
import { refusalOf } from "./refusal.js";

/** Milliseconds between looks at the folder: a watch may miss what another machine writes to a share. */
const POLL_MS = 1_000;
/** Milliseconds between looks at least: a file that is being written nudges all the time. */
const NUDGE_MS = 100;
/** Milliseconds that it rests when nothing can be taken now. */
const PAUSE_MS = 5_000;
/** Items of a file that are brought at a time: as many as share a commit. */
const ITEMS_AT_ONCE = 100;
/** Reasons that are written beside a refused file. */
const MOST_REASONS = 100;

export interface OutboxOptions {
  folder: string;
  /** Bundles become one record an entry. */
  split?: boolean;
}

/** An item of a file that could not be stored. */
interface Reason {
  /** Where in the file: `#line 7`. */
  place: string;
  error: ChartsealError;
}

/**
 * Takes the files that a hospital's system puts into a folder, and moves each away once all in it is durable. A crash
 * between is harmless: taken again, it is known.
 */
export class Outbox {
  readonly #folder: string;
  readonly #split: boolean;
  readonly #intake: LiveIntake;
  readonly #tally: Tally;
  readonly #signal: AbortSignal;
  readonly #resting = new Resting();
  #nudge: () => void = () => {};
  /** Ends when the signal has aborted and the file in hand is moved. */
  readonly stopped: Promise<void>;

  private constructor(
    folder: string,
    split: boolean,
    parts: { intake: LiveIntake; tally: Tally },
    signal: AbortSignal,
  ) {
    this.#folder = folder;
    this.#split = split;
    this.#intake = parts.intake;
    this.#tally = parts.tally;
    this.#signal = signal;
    this.stopped = this.#run();
  }

  /** @throws ERR_USAGE when the folder cannot be used */
  static async watch(
    parts: { intake: LiveIntake; tally: Tally },
    { folder, split = false }: OutboxOptions,
    signal: AbortSignal,
  ): Promise<Outbox> {
    try {
      const real = await realpath(folder);
      for (const name of [DONE, FAILED]) await mkdir(join(real, name), { recursive: true, mode: 0o700 });
      return new Outbox(real, split, parts, signal);
    } catch (cause) {
      const { code = "unknown" } = cause as NodeJS.ErrnoException;
      throw new ChartsealError("ERR_USAGE", `the outbox cannot be used (${code})`, {
        values: { folder, code },
        hint: "give a folder that this user may write: files are moved to done/ and failed/ inside it",
        cause,
      });
    }
  }

  async #run(): Promise<void> {
    using _ = watching(this.#folder, () => this.#nudge());
    this.#signal.addEventListener("abort", () => this.#nudge(), { once: true });
    for (;;) {
      const later = await this.#look();
      if (this.#signal.aborted) return;
      await this.#wait(later);
    }
  }

  /** Until something may have changed; what cannot be taken now is not asked for again at every nudge. */
  async #wait(later: boolean): Promise<void> {
    const nudged = new Promise<void>((resolve) => {
      this.#nudge = () => {
        if (!later || this.#signal.aborted) resolve();
      };
    });
    if (this.#signal.aborted) return;
    const stop = new AbortController();
    const { signal } = stop;
    await Promise.race([nudged, sleep(later ? PAUSE_MS : POLL_MS, undefined, { signal }).catch(() => {})]);
    stop.abort();
    await sleep(NUDGE_MS);
  }

  /** @returns whether something could not be taken now */
  async #look(): Promise<boolean> {
    let later = false;
    try {
      const found = await scan(this.#folder);
      for (const file of this.#resting.ready(found, performance.now())) {
        if (this.#signal.aborted) break;
        const refusal = await this.#take(file);
        later ||= refusal !== undefined;
        // It is this machine's fault: nothing else can be taken now either.
        if (refusal !== undefined && refusal !== "ERR_INTERNAL") break;
      }
    } catch (error) {
      this.#refuse(error);
      later = true;
    }
    return later;
  }

  /** @returns why it could not be taken now */
  async #take(file: OutboxFile): Promise<ErrorCode | undefined> {
    let reasons: Reason[];
    try {
      reasons = file.plain ? await this.#items(file) : [{ place: "", error: notAFile() }];
    } catch (error) {
      return this.#refuse(error);
    }
    // Changed while it was read: it is looked at again once it rests.
    const now = await lstat(file.file).catch(() => undefined);
    if (now !== undefined && stateOf(now).state === file.state) await this.#move(file, reasons);
    return undefined;
  }

  /** Brings all items of a file. @returns those that could not be stored @throws when one cannot be taken now */
  async #items({ file, path }: OutboxFile): Promise<Reason[]> {
    const reasons: Reason[] = [];
    const progress = { totalBytes: undefined, bytesRead: 0 };
    let some: (SourceItem | BadItem)[] = [];
    const bring = async () => {
      const all = await Promise.allSettled(some.map(async (item) => this.#bring(item, path)));
      some = [];
      for (const result of all) {
        if (result.status === "rejected") throw result.reason;
        if (result.value !== undefined) reasons.push(result.value);
      }
    };
    for await (const item of fileItems(file, path, this.#split, progress)) {
      some.push(item);
      if (some.length >= ITEMS_AT_ONCE) await bring();
      if (this.#signal.aborted) throw stopping();
    }
    await bring();
    return reasons;
  }

  async #bring(item: SourceItem | BadItem, path: string): Promise<Reason | undefined> {
    const became = await this.#intake.take(item);
    const place = item.label.slice(path.length);
    if (!became.kept) {
      const error = became.error!;
      this.#tally.refused({ door: "outbox", code: error.code, later: false });
      return { place, error };
    }
    this.#tell(item, became);
    return undefined;
  }

  #tell(item: SourceItem | BadItem, { outcome, error }: Became): void {
    const bytes = isBadItem(item) ? 0 : item.size;
    const code = error === undefined ? {} : { code: error.code };
    this.#tally.taken({ door: "outbox", outcome, bytes, ...code });
  }

  async #move({ file, path }: OutboxFile, reasons: readonly Reason[]): Promise<void> {
    const target = await freeName(join(this.#folder, reasons.length === 0 ? DONE : FAILED, path));
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    // The reasons first: a refused file never lies there without them.
    if (reasons.length > 0) await writeFile(`${target}.error.txt`, textOf(reasons), { mode: 0o600 });
    await rename(file, target);
  }

  #refuse(error: unknown): ErrorCode {
    const { code } = refusalOf(error).error;
    if (!this.#signal.aborted) this.#tally.refused({ door: "outbox", code, later: true });
    return code;
  }
}

/** Only a hint to look soon; where there is none, the folder is polled. */
function watching(folder: string, nudge: () => void): (FSWatcher & Disposable) | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, nudge);
    watcher.on("error", () => watcher.close());
    return Object.assign(watcher, { [Symbol.dispose]: () => watcher.close() });
  } catch {
    return undefined;
  }
}

/** Nothing that was moved before is replaced. */
async function freeName(path: string): Promise<string> {
  for (let number = 0; ; number++) {
    const name = number === 0 ? path : `${path}.${number}`;
    if ((await lstat(name).catch(() => undefined)) === undefined) return name;
  }
}

/** Codes, places and what to do: nothing of the file's content. */
function textOf(reasons: readonly Reason[]): string {
  const lines = reasons.slice(0, MOST_REASONS).map(({ place, error }) => {
    const where = place === "" ? "" : `${place.slice(1)}: `;
    return `${where}${error.code}${error.hint === undefined ? "" : `: ${error.hint}`}`;
  });
  if (reasons.length > MOST_REASONS) lines.push(`and ${reasons.length - MOST_REASONS} more`);
  return `${lines.join("\n")}\n`;
}

function notAFile(): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", "neither a file nor a folder", {
    hint: "put the file itself into the outbox: links, pipes and devices are not read",
  });
}

function stopping(): ChartsealError {
  return new ChartsealError("ERR_BUSY", "the listener stops", { retryable: true });
}

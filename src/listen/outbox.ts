// SPDX-License-Identifier: Apache-2.0
import { watch, type FSWatcher } from "node:fs";
import { lstat, mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ChartsealError, type ErrorCode } from "../errors.js";
import { fileItems, type Became, type LiveIntake } from "../ingest/index.js";
import { isBadItem, type BadItem, type SourceItem } from "../records/index.js";
import type { Tally } from "./events.js";
import { Left } from "./outbox-left.js";
import { moveAway, type Reason } from "./outbox-move.js";
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
/** Faults of one file, of reading it say: others can be taken all the same. */
const OF_ONE_FILE: readonly ErrorCode[] = ["ERR_INTERNAL", "ERR_ITEM_INVALID", "ERR_SOURCE_CHANGED"];
/** Of the system: there is no room. */
const FULL: readonly unknown[] = ["ENOSPC", "EDQUOT"];

export interface OutboxOptions {
  folder: string;
  /** Bundles become one record an entry. */
  split?: boolean;
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
  readonly #left = new Left();
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

  /** @returns whether nothing can be taken now */
  async #look(): Promise<boolean> {
    try {
      const found = await scan(this.#folder);
      const now = performance.now();
      this.#left.keepOnly(found);
      for (const file of found.unreadable) this.#leave({ file, state: "" }, "ERR_ITEM_INVALID");
      for (const file of this.#resting.ready(found, now)) {
        if (this.#signal.aborted) break;
        if (this.#left.rests(file, now)) continue;
        const later = await this.#take(file);
        if (later) return true;
      }
      return false;
    } catch (error) {
      this.#refuse(error);
      return true;
    }
  }

  /** @returns whether this machine is at fault, so that nothing else can be taken now either */
  async #take(file: OutboxFile): Promise<boolean> {
    try {
      const reasons = this.#left.reasonsOf(file) ?? (await this.#reasons(file));
      if (await isAsItWas(file)) await this.#move(file, reasons);
    } catch (error) {
      const { code } = refusalOf(error).error;
      if (!OF_ONE_FILE.includes(code)) {
        this.#refuse(error);
        return true;
      }
      if (await isAsItWas(file)) this.#leave(file, code);
    }
    return false;
  }

  async #reasons(file: OutboxFile): Promise<readonly Reason[]> {
    return file.plain ? await this.#items(file) : [{ place: "", error: notAFile() }];
  }

  /** Brings all items of a file. @returns those that could not be stored @throws when one cannot be taken now */
  async #items({ file, path }: OutboxFile): Promise<Reason[]> {
    const reasons: Reason[] = [];
    const progress = { totalBytes: undefined, bytesRead: 0 };
    let some: (SourceItem | BadItem)[] = [];
    const bring = async () => {
      if (some.length === 0) return;
      using _ = this.#intake.room.enter();
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
    // Not the content's fault but that of the disk or its rights: nobody need put the file there again.
    if (isBadItem(item) && item.error.retryable) throw item.error;
    const became = await this.#intake.take(item);
    const place = item.label.slice(path.length);
    if (!became.kept) {
      const error = became.error!;
      if (error.code === "ERR_SOURCE_CHANGED") throw error;
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

  async #move(file: OutboxFile, reasons: readonly Reason[]): Promise<void> {
    try {
      await moveAway(this.#folder, file, reasons);
    } catch (cause) {
      const full = FULL.includes((cause as NodeJS.ErrnoException).code);
      this.#leave(file, full ? "ERR_STORE_FULL" : "ERR_USAGE", reasons);
    }
  }

  /** It stays where it is, and is tried again by itself. */
  #leave(file: Pick<OutboxFile, "file" | "state">, code: ErrorCode, reasons?: readonly Reason[]): void {
    if (!this.#left.add(file, code, performance.now(), reasons)) return;
    this.#tally.refused({ door: "outbox", code, later: true });
  }

  #refuse(error: unknown): void {
    const { code } = refusalOf(error).error;
    if (!this.#signal.aborted) this.#tally.refused({ door: "outbox", code, later: true });
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

/** What changed while it was read is looked at again once it rests. */
async function isAsItWas({ file, state }: OutboxFile): Promise<boolean> {
  const now = await lstat(file).catch(() => undefined);
  return now !== undefined && stateOf(now).state === state;
}

function notAFile(): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", "neither a file nor a folder", {
    hint: "put the file itself into the outbox: links, pipes and devices are not read",
  });
}

function stopping(): ChartsealError {
  return new ChartsealError("ERR_BUSY", "the listener stops", { retryable: true });
}

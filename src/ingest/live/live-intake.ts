// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from "node:timers/promises";
import { ChartsealError, type ErrorCode } from "../../errors.js";
import {
  Controls,
  DEFAULT_RULES,
  ItemState,
  type BadItem,
  type Control,
  type SourceItem,
} from "../../records/index.js";
import { Anchoring } from "../anchoring.js";
import { Filer } from "../filing.js";
import { GROUP_BYTES, GROUP_ITEMS } from "../grouped.js";
import { checkOptions } from "../ingest.js";
import type { IngestParts } from "../ingest-run.js";
import { takeIn, type IntakeParts } from "../intake.js";
import type { Became, IntakeWitness } from "../intake-outcome.js";
import { followEvents } from "../persons.js";
import { refileInSteps } from "../refile.js";
import type { LiveEvents, LiveOptions } from "./live-options.js";
import { Room } from "./room.js";

/** Milliseconds between looks at what waits for its patient, at least: and no more than a tenth of the time. */
const REFILE_MS = 30_000;
const REFILE_SHARE = 10;
/** Milliseconds between marks of amended entries. */
const MARK_MS = 30_000;
/** Milliseconds between looks at what was acknowledged long ago and how far the chain is behind. */
const TIDY_MS = 1_000;
/** Numbers that are forgotten at a time. */
const FORGET_AT_ONCE = 1_000;
/** Milliseconds for which a trouble is told. */
const TROUBLE_MS = 30_000;
const MOST_ITEMS = 5_000;
const MOST_BYTES = 64 * 1024 * 1024;
/** Hours for which a sender's message number counts: he begins again some day. */
const CONTROL_HOURS = 24;

/** What is wrong with this hospital's own machine: every item would meet it. */
const OWN_TROUBLES: readonly ErrorCode[] = [
  ...(["ERR_STORE_FULL", "ERR_STORE_FAILED", "ERR_TIMEOUT", "ERR_USAGE"] as const),
  ...(["ERR_VAULT_LOCKED", "ERR_VAULT_DAMAGED", "ERR_VAULT_RESTORED"] as const),
];

interface Pending {
  item: SourceItem | BadItem;
  control: Control | undefined;
  settle: PromiseWithResolvers<Became>;
}

/**
 * An intake that runs day and night: whoever brings an item hears when it is durable, many share a commit, and the
 * anchoring goes on beside it. Hold the journal's lock meanwhile.
 */
export class LiveIntake implements AsyncDisposable {
  /** Ask here before an item is read from a network. */
  readonly room: Room;
  readonly controls: Controls;
  readonly #parts: IngestParts & IntakeParts;
  readonly #options: LiveOptions;
  readonly #events: LiveEvents;
  readonly #anchoring: Anchoring;
  readonly #stop = new AbortController();
  readonly #queue: Pending[] = [];
  #refiling: Generator<number> | undefined;
  #refileFrom = 0;
  #refileBegan = 0;
  /** Rows of what only a person settles: there is nothing to look at again. */
  readonly #asked = new Set<number>();
  #working: Promise<void> | undefined;
  #tidying: NodeJS.Timeout | undefined;
  #trouble: { failure: ChartsealError; at: number } | undefined;
  /** Why nothing is anchored now. */
  chainFailure: ChartsealError | undefined;

  /** @throws ERR_USAGE for an option out of range */
  constructor(parts: IngestParts, options: LiveOptions = {}, events: LiveEvents = {}) {
    checkOptions(options);
    const { rules = DEFAULT_RULES, compartment = "general", batchItems, batchWait } = options;
    const { mostItems = MOST_ITEMS, mostBytes = MOST_BYTES, markEvery = MARK_MS } = options;
    this.#parts = { ...parts, filer: new Filer({ vault: parts.vault, rules, compartment }) };
    this.#options = options;
    this.#events = events;
    this.room = new Room({ items: mostItems, bytes: mostBytes });
    this.controls = new Controls(parts.journal);
    const { signal } = this.#stop;
    this.#anchoring = new Anchoring(parts, {
      ...{ batchItems, batchWait, markEvery, signal, passing: failureOf },
      onAnchored: (batch) => events.onAnchored?.(batch),
      onUnsound: ({ error }) => events.onUnsound?.(error),
      onMarked: (marked) => events.onMarked?.(marked),
      onFailure: (failure) => {
        if (signal.aborted) return;
        if (failure !== undefined || this.chainFailure !== undefined) events.onChain?.(failure);
        this.chainFailure = failure;
      },
    });
  }

  /** Why items could not be taken lately: this machine's fault, not theirs. */
  get trouble(): ChartsealError | undefined {
    const { failure, at } = this.#trouble ?? { at: -Infinity };
    // Who is kept away by it would never show that it has passed.
    return performance.now() - at > TROUBLE_MS ? undefined : failure;
  }

  /** Goes on with what earlier runs left. */
  start(): void {
    this.#anchoring.start();
    this.#tidy();
    this.#tidying = setInterval(() => this.#tidy(), TIDY_MS);
  }

  /**
   * Resolves once the item is durable: sealed, waiting, known before, or on the list of dead letters.
   * @throws ERR_MESSAGE_ID_REUSED when the control says so; ERR_STORE_FULL and others when it cannot be taken now
   */
  async take(item: SourceItem | BadItem, control?: Control): Promise<Became> {
    const settle = Promise.withResolvers<Became>();
    this.#queue.push({ item, control, settle });
    this.#work();
    return await settle.promise;
  }

  /** Takes what was brought, then anchors what it can. */
  async finish(): Promise<void> {
    clearInterval(this.#tidying);
    this.#refiling = undefined;
    await this.#working;
    await this.#anchoring.rest();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#stop.abort();
      resolve(); // a transaction under way may take minutes; it is in the journal
    }, this.#options.chainWait ?? 15_000);
    await Promise.race([this.#anchoring.all(), late]);
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#tidying);
    this.#refiling = undefined;
    this.#stop.abort();
    await this.#working;
    await this.#anchoring[Symbol.asyncDispose]();
  }

  #work(): void {
    this.#working ??= this.#workOn().finally(() => {
      this.#working = undefined;
    });
  }

  /** One commit after the other: what comes in during one shares the next. */
  async #workOn(): Promise<void> {
    // What arrived in the same turn of the event loop shares the first.
    await turn();
    while (this.#queue.length > 0 || this.#refiling !== undefined) {
      const group = this.#nextGroup();
      if (group.length > 0) await this.#takeGroup(group);
      this.#refileStep();
      await turn();
    }
  }

  #nextGroup(): Pending[] {
    const group: Pending[] = [];
    const numbers = new Map<string, Uint8Array>();
    let bytes = 0;
    while (group.length < GROUP_ITEMS && bytes < GROUP_BYTES) {
      const pending = this.#queue[0];
      if (pending === undefined) break;
      if (pending.control !== undefined) {
        const key = Buffer.from(pending.control.id).toString("latin1");
        const other = numbers.get(key);
        // The second of one number waits for the next group, which sees the first.
        if (other !== undefined && !Buffer.from(other).equals(pending.control.content)) break;
        numbers.set(key, pending.control.content);
      }
      this.#queue.shift();
      group.push(pending);
      bytes += "size" in pending.item ? pending.item.size : 0;
    }
    return group;
  }

  /** Never throws: everybody hears of what became of his own. */
  async #takeGroup(group: readonly Pending[]): Promise<void> {
    try {
      const fresh = group.filter((pending) => this.#agrees(pending));
      if (fresh.length > 0) await this.#takeTogether(fresh);
      this.#trouble = undefined;
    } catch (error) {
      const failure = failureOf(error);
      if (group.length > 1 && !OWN_TROUBLES.includes(failure.code)) {
        // One of them is at fault: alone it keeps nobody else out.
        for (const pending of group) await this.#takeGroup([pending]);
        return;
      }
      this.#inTrouble(failure);
      for (const { settle } of group) settle.reject(failure);
    }
    this.#anchoring.look();
  }

  #agrees({ control, settle }: Pending): boolean {
    if (control === undefined || !this.controls.contradicts(control)) return true;
    settle.reject(
      new ChartsealError("ERR_MESSAGE_ID_REUSED", "the message control id came before with other bytes", {
        hint: "number each message anew; send the same bytes again only to hear the same answer",
      }),
    );
    return false;
  }

  async #takeTogether(group: readonly Pending[]): Promise<void> {
    const became = new Map<SourceItem | BadItem, Became>();
    const repeated = new Map<SourceItem | BadItem, SourceItem>();
    const howOf = (item: SourceItem | BadItem): Became | undefined => {
      const other = repeated.get(item);
      const how = became.get(other ?? item);
      return other !== undefined && how?.kept === true ? { outcome: "known", kept: true } : how;
    };
    const witness: IntakeWitness = {
      became: (item, how) => became.set(item, how),
      repeats: (item, other) => repeated.set(item, other),
      // A group with events is several commits: those of later ones became nothing yet.
      commit: () => {
        for (const { item, control } of group)
          if (control !== undefined && howOf(item)?.kept === true) this.controls.add(control);
      },
    };
    await takeIn(
      { ...this.#parts, witness },
      group.map(({ item }) => item),
    );
    for (const { item, settle } of group) settle.resolve(howOf(item)!);
  }

  #inTrouble(failure: ChartsealError): void {
    this.#trouble = { failure, at: performance.now() };
  }

  #refileStep(): void {
    try {
      const step = this.#refiling?.next();
      if (step === undefined) return;
      if (step.done !== true) {
        if (step.value > 0) this.#events.onFiled?.(step.value);
        return;
      }
    } catch (error) {
      this.#inTrouble(failureOf(error)); // and again later
    }
    this.#refiling = undefined;
    this.#refileLater();
  }

  #refileLater(): void {
    const now = performance.now();
    const rest = Math.max(this.#options.refileEvery ?? REFILE_MS, REFILE_SHARE * (now - this.#refileBegan));
    this.#refileFrom = now + rest;
  }

  #tidy(): void {
    const { journal } = this.#parts;
    const { mostUnanchored, controlHours = CONTROL_HOURS } = this.#options;
    try {
      this.controls.forgetOlderThan(controlHours * 3_600, FORGET_AT_ONCE);
      const behind = mostUnanchored !== undefined && unanchored(journal, mostUnanchored) >= mostUnanchored;
      this.room.closed = behind ? "too many items wait for the chain" : undefined;
      if (this.#refiling !== undefined || performance.now() < this.#refileFrom) return;
      this.#refileBegan = performance.now();
      followEvents(this.#parts, 0, this.#asked);
      if (!journal.hasIn(ItemState.WAITING)) return this.#refileLater();
      this.#refiling = refileInSteps(this.#parts);
      this.#work();
    } catch (error) {
      this.#inTrouble(failureOf(error));
    }
  }
}

/** Sealed items that the chain does not have yet, counted no further than `most`. */
function unanchored(journal: IngestParts["journal"], most: number): number {
  const inBatches = journal.openBatches().reduce((sum, { count }) => sum + count, 0);
  return inBatches >= most ? most : inBatches + journal.countIn(ItemState.SEALED, most);
}

function failureOf(error: unknown): ChartsealError {
  if (error instanceof ChartsealError) return error;
  return new ChartsealError("ERR_INTERNAL", "unexpected", { cause: error, retryable: true });
}

// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from "../errors.js";
import type { Became, LiveEvents } from "../ingest/index.js";

/** Where something came in. */
export type Door = "mllp" | "http" | "outbox";

/** An item that is durable. */
export interface TakenEvent {
  door: Door;
  outcome: Became["outcome"];
  bytes: number;
  /** Why it is on the list of dead letters. */
  code?: ErrorCode;
}

export interface RefusedEvent {
  door: Door;
  code: ErrorCode;
  /** Its sender was told to send it again later. */
  later: boolean;
}

export interface ConnectionEvent {
  door: "mllp";
  /**
   * `turned-away`: there are too many. `silent`, `slow`: it did not send, or not all of a message in time. `deaf`: it did
   * not read its answers. `noise`: it sent no MLLP. `broken`: a message had no end; the connection goes on.
   */
  what: "opened" | "closed" | "turned-away" | "silent" | "slow" | "deaf" | "noise" | "broken";
  /** Connections that are open now. */
  open: number;
}

/** What whoever runs a listener hears of: numbers and codes, nothing of a message. These functions must not throw. */
export interface ListenEvents extends LiveEvents {
  onTaken?: (event: TakenEvent) => void;
  onRefused?: (event: RefusedEvent) => void;
  onConnection?: (event: ConnectionEvent) => void;
}

/** Counts since the listener began. */
export interface ListenCounts {
  sealed: number;
  waiting: number;
  known: number;
  dead: number;
  /** Not taken, and the sender told so for good, or for now. */
  refused: number;
  refusedForNow: number;
  anchored: number;
  superseded: number;
  retracted: number;
  bytes: number;
}

/** Tells the events on, and counts them. */
export class Tally {
  readonly counts: ListenCounts = {
    ...{ sealed: 0, waiting: 0, known: 0, dead: 0, refused: 0, refusedForNow: 0 },
    ...{ anchored: 0, superseded: 0, retracted: 0, bytes: 0 },
  };
  connections = 0;
  lastTakenAt: Date | undefined;
  lastAnchoredAt: Date | undefined;
  readonly #events: ListenEvents;

  constructor(events: ListenEvents) {
    this.#events = events;
  }

  taken(event: TakenEvent): void {
    this.counts[event.outcome]++;
    this.counts.bytes += event.bytes;
    this.lastTakenAt = new Date();
    this.#events.onTaken?.(event);
  }

  refused(event: RefusedEvent): void {
    if (event.later) this.counts.refusedForNow++;
    else this.counts.refused++;
    this.#events.onRefused?.(event);
  }

  connection(what: ConnectionEvent["what"]): void {
    if (what === "opened") this.connections++;
    if (what === "closed") this.connections--;
    this.#events.onConnection?.({ door: "mllp", what, open: this.connections });
  }

  /** What the intake tells, counted on its way. */
  get live(): LiveEvents {
    const { onFiled, onChain, onUnsound } = this.#events;
    return {
      onAnchored: (batch) => {
        this.counts.anchored += batch.count;
        this.lastAnchoredAt = new Date();
        this.#events.onAnchored?.(batch);
      },
      onMarked: (marked) => {
        this.counts.superseded += marked.superseded;
        this.counts.retracted += marked.retracted;
        this.#events.onMarked?.(marked);
      },
      ...(onUnsound === undefined ? {} : { onUnsound }),
      ...(onFiled === undefined ? {} : { onFiled }),
      ...(onChain === undefined ? {} : { onChain }),
    };
  }
}

// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { ChartsealError, type ErrorCode } from "../errors.js";
import { LiveIntake, type IngestParts, type LiveOptions } from "../ingest/index.js";
import type { Vault } from "../vault/index.js";
import { Tally, type ListenCounts, type ListenEvents } from "./events.js";
import { FhirDesk } from "./fhir-desk.js";
import { serveFhir, type FhirOptions } from "./fhir-server.js";
import { Hl7Desk } from "./hl7-desk.js";
import { serveMllp, type MllpOptions } from "./mllp-server.js";
import { Outbox, type OutboxOptions } from "./outbox.js";

/** Longest message that src/records reads as HL7 v2 or JSON, in bytes. */
const MOST_MESSAGE_BYTES = 64 * 1024 * 1024;
const MESSAGES_AT_ONCE = 4;
const LEAST_ROOM = 64 * 1024 * 1024;

export interface ListenOptions extends LiveOptions, ListenEvents {
  /** HL7 v2 over MLLP. */
  mllp?: MllpOptions;
  /** FHIR over HTTP. */
  http?: FhirOptions;
  /** A folder that files are put into. */
  outbox?: OutboxOptions;
  /** Bundles that are posted to the base become one record an entry. Default: a Bundle is one record. */
  split?: boolean;
  /** Stops the listener: what is in hand is finished. */
  signal?: AbortSignal;
}

/** How a listener does, in numbers and codes. */
export interface ListenState extends ListenCounts {
  /** Open MLLP connections. */
  connections: number;
  itemsInFlight: number;
  bytesInFlight: number;
  /** Senders are told "not now". */
  full: boolean;
  vaultUsable: boolean;
  lastTakenAt?: Date;
  lastAnchoredAt?: Date;
  /** Why items could not be taken lately. */
  trouble?: ErrorCode;
  /** Why nothing is anchored now. */
  chainFailure?: ErrorCode;
}

export interface Listener extends AsyncDisposable {
  /** Where it listens, as a sender is told: `mllp://127.0.0.1:2575`. */
  addresses: { mllp?: string; http?: string; outbox?: string };
  state: () => ListenState;
  /** Stops accepting; `stopped` resolves when what was in hand is finished. */
  stop: () => void;
  stopped: Promise<void>;
}

/** What must be stopped, in any order. */
interface Door {
  name: keyof Listener["addresses"];
  address: string;
  stop: () => Promise<void>;
}

/**
 * Takes items at all doors that the options name, until it is stopped. It holds the journal's lock meanwhile.
 * Each sender is answered when his item is durable; the anchoring goes on beside, and no answer waits for the chain.
 * @example
 * await using listener = await hospital.listen({ mllp: { host: "127.0.0.1", port: 2575 }, signal });
 * await listener.stopped;
 * @throws ERR_USAGE, ERR_JOURNAL_LOCKED
 */
export async function listen(parts: IngestParts, options: ListenOptions): Promise<Listener> {
  const { mllp, http, outbox, signal } = options;
  if (mllp === undefined && http === undefined && outbox === undefined) {
    throw new ChartsealError("ERR_USAGE", "there is nothing to listen to", {
      hint: "give at least one of MLLP, HTTP and an outbox folder",
    });
  }
  const tally = new Tally(options);
  const stop = new AbortController();
  const ending = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]);
  await using failed = new AsyncDisposableStack();
  failed.use(parts.journal.lock());
  const room = { mostBytes: roomFor([mllp?.mostBytes, http?.mostBytes]) };
  const intake = failed.use(new LiveIntake(parts, { ...room, ...options }, tally.live));
  const state = () => stateOf(intake, tally, parts.vault);
  failed.defer(() => stop.abort());
  const doors = await openDoors({ intake, tally, state, signal: ending }, options, failed);
  intake.start();
  const opened = failed.move();
  const stopped = (async () => {
    try {
      if (!ending.aborted) await once(ending, "abort");
      await Promise.all(doors.map((door) => door.stop()));
      await intake.finish();
    } finally {
      await opened.disposeAsync();
    }
  })();
  return {
    addresses: Object.fromEntries(doors.map(({ name, address }) => [name, address])),
    state,
    stop: () => stop.abort(),
    stopped,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await stopped;
    },
  };
}

/**
 * Bytes that may be on their way in: the longest message fits several times, or it would never be let in.
 * @throws ERR_USAGE when it is longer than one that can be read
 */
function roomFor(longest: readonly (number | undefined)[]): number {
  const most = Math.max(...longest.map((bytes) => bytes ?? 0));
  if (most <= MOST_MESSAGE_BYTES) return Math.max(LEAST_ROOM, MESSAGES_AT_ONCE * most);
  throw new ChartsealError("ERR_USAGE", `a message has at most ${MOST_MESSAGE_BYTES} bytes`, {
    values: { limit: MOST_MESSAGE_BYTES },
    hint: "ingest larger ones as files",
  });
}

interface DoorParts {
  intake: LiveIntake;
  tally: Tally;
  state: () => ListenState;
  signal: AbortSignal;
}

/** Those that were opened are closed again when another cannot be. */
async function openDoors(
  { intake, tally, state, signal }: DoorParts,
  { mllp, http, outbox, split = false }: ListenOptions,
  failed: AsyncDisposableStack,
): Promise<Door[]> {
  const doors: Door[] = [];
  const { room } = intake;
  if (mllp !== undefined) {
    const { address, stop } = await serveMllp({ desk: new Hl7Desk(intake, tally), room, tally }, mllp);
    doors.push({ name: "mllp", address, stop });
    failed.defer(stop);
  }
  if (http !== undefined) {
    const desk = new FhirDesk(intake, tally);
    const readiness = () => readinessOf(state());
    const { address, stopped } = await serveFhir({ desk, room, tally, split, readiness, signal }, http);
    doors.push({ name: "http", address, stop: () => stopped });
  }
  if (outbox !== undefined) {
    const { folder } = outbox;
    const { stopped } = await Outbox.watch({ intake, tally }, { split, ...outbox }, signal);
    doors.push({ name: "outbox", address: folder, stop: () => stopped });
  }
  return doors;
}

function stateOf({ room, trouble, chainFailure }: LiveIntake, tally: Tally, vault: Vault): ListenState {
  const { lastTakenAt, lastAnchoredAt } = tally;
  return {
    ...tally.counts,
    connections: tally.connections,
    itemsInFlight: room.items,
    bytesInFlight: room.bytes,
    full: room.full,
    vaultUsable: isUsable(vault),
    ...(lastTakenAt === undefined ? {} : { lastTakenAt }),
    ...(lastAnchoredAt === undefined ? {} : { lastAnchoredAt }),
    ...(trouble === undefined ? {} : { trouble: trouble.code }),
    ...(chainFailure === undefined ? {} : { chainFailure: chainFailure.code }),
  };
}

/** Whether items can be taken; the chain is told, but nobody need wait for it. */
function readinessOf({ vaultUsable, full, trouble, chainFailure }: ListenState) {
  return {
    ready: vaultUsable && !full && trouble === undefined,
    vault: vaultUsable,
    room: !full,
    chain: chainFailure === undefined,
    ...(trouble === undefined ? {} : { trouble }),
  };
}

function isUsable(vault: Vault): boolean {
  try {
    vault.backups.requireReconciled();
    vault.currentEpoch();
    return true;
  } catch {
    return false;
  }
}

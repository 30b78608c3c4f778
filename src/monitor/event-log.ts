// SPDX-License-Identifier: Apache-2.0
import { constants } from "node:os";
import type { pino } from "pino";
import { isContractError } from "../chain/index.js";
import { ChartsealError, ERROR_CODES } from "../errors.js";

export type LogLevel = "error" | "warn" | "info" | "debug";

/** Everything that may happen in a log, and how much it matters. Words of other people are never among it. */
const EVENTS = {
  started: "info",
  ready: "info",
  stopped: "info",
  answered: "info",
  refused: "warn",
  "late-answered": "warn",
  received: "debug",
  acknowledged: "info",
  ingested: "info",
  "not-anchored": "warn",
  trouble: "error",
} as const satisfies Record<string, LogLevel>;
export type LogEvent = keyof typeof EVENTS;

const HASH = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^0x[0-9a-f]{40}$/;
const ERRNOS = new Set(Object.keys(constants.errno));

/**
 * The only fields that a line may have, and what each may hold: numbers, flags, hashes and accounts that are on chain
 * anyway, and words of fixed lists. There is none that could take a text.
 */
const FIELDS = {
  code: (value: unknown) => (ERROR_CODES as readonly unknown[]).includes(value),
  /** A contract's error. */
  reason: (value: unknown) => typeof value === "string" && isContractError(value),
  errno: (value: unknown) => typeof value === "string" && ERRNOS.has(value),
  retryable: isFlag,
  ready: isFlag,
  accessId: isHash,
  windowId: isHash,
  transaction: isHash,
  account: (value: unknown) => typeof value === "string" && ADDRESS.test(value),
  member: isCount,
  index: isCount,
  block: isCount,
  count: isCount,
  read: isCount,
  known: isCount,
  sealed: isCount,
  waiting: isCount,
  dead: isCount,
  anchored: isCount,
  superseded: isCount,
  bytes: isCount,
  port: isCount,
  /** Of an HTTP answer. */
  status: isCount,
  milliseconds: (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0,
  /** HL7 v2 table 0008. */
  acknowledgement: (value: unknown) => ["AA", "AE", "AR"].includes(value as string),
  vaultUnlocked: isFlag,
} as const satisfies Record<string, (value: unknown) => boolean>;
export type LogField = keyof typeof FIELDS;
export type LogFields = Partial<Record<LogField, string | number | boolean | undefined>>;

/** Where a log's lines go. */
export interface LogTarget {
  write(line: string): unknown;
  /** Called when the log is closed. */
  end?(): unknown;
}

/** One process's log: a JSON object a line. Takes no text, so that none of a patient's can get into it. */
export class EventLog implements Disposable {
  readonly #write: (level: LogLevel, line: object, event: LogEvent) => void;
  readonly #close: () => void;

  constructor(write: (level: LogLevel, line: object, event: LogEvent) => void, close: () => void = () => {}) {
    this.#write = write;
    this.#close = close;
  }

  /** A field whose value is not what it may be is left out, and named. */
  event(event: LogEvent, fields: LogFields = {}): void {
    const kept: Record<string, unknown> = {};
    const dropped: string[] = [];
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      if (!Object.hasOwn(FIELDS, name)) dropped.push("unknown");
      else if (FIELDS[name as LogField](value)) kept[name] = value;
      else dropped.push(name);
    }
    this.#write(EVENTS[event], dropped.length === 0 ? kept : { ...kept, dropped }, event);
  }

  /** Of an error: its code, and what else of it is from a fixed list. Never its message, values, hint, cause or stack. */
  error(event: LogEvent, error: unknown, fields: LogFields = {}): void {
    this.event(event, { ...fields, ...fieldsOf(error) });
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

export interface LogOptions {
  /** A file that lines are added to, or what takes them. */
  to: string | LogTarget;
  level?: LogLevel;
  /** `release-agent`. */
  process: string;
}

/** Opens a log. @throws ERR_USAGE when the file cannot be written */
export async function openEventLog({ to, level = "info", process: name }: LogOptions): Promise<EventLog> {
  const { pino: open } = await import("pino"); // an ingest without a log does not carry it
  const target = typeof to === "string" ? openFile(to, open.destination) : to;
  const logger = open(
    {
      level,
      base: { process: name, pid: process.pid },
      messageKey: "event",
      timestamp: open.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    target,
  );
  return new EventLog(
    (at, line, event) => logger[at](line, event),
    () => target.end?.(),
  );
}

/** Written at once: a crash keeps its last lines. Others may not read it. */
function openFile(path: string, destination: typeof pino.destination): LogTarget {
  try {
    const file = destination({ dest: path, sync: true, append: true, mode: 0o600 });
    // A full disk must not end the process that the log is about.
    file.on("error", () => {});
    return file;
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new ChartsealError("ERR_USAGE", `the log ${path} cannot be written (${code})`, {
      values: { path, code },
      cause,
    });
  }
}

function fieldsOf(error: unknown): LogFields {
  const known = error instanceof ChartsealError;
  const { code, retryable } = known ? error : { code: "ERR_INTERNAL" as const, retryable: false };
  const reason = known ? error.values["reason"] : undefined;
  const errno = errnoOf(error);
  return {
    code,
    retryable,
    ...(FIELDS.reason(reason) ? { reason } : {}),
    ...(FIELDS.errno(errno) ? { errno: errno as string } : {}),
  };
}

function errnoOf(error: unknown): unknown {
  if (error instanceof ChartsealError) return error.values["errno"] ?? error.values["code"];
  return (error as { code?: unknown } | null)?.code;
}

function isHash(value: unknown): boolean {
  return typeof value === "string" && HASH.test(value);
}

function isFlag(value: unknown): boolean {
  return typeof value === "boolean";
}

/** A whole number; a telephone number or a patient's number has no field. */
function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

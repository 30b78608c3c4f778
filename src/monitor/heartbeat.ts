// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ERROR_CODES, type ErrorCode } from "../errors.js";

/** Milliseconds between beats. */
const BEAT_MS = 5_000;
/** Seconds without a beat after which a process counts as down: a few beats late on a busy machine are no alarm. */
const SILENT_S = 30;
/** A heartbeat is some 200 bytes; a longer file is none. */
const MOST_BYTES = 4_096;
const FILE = /^([a-z][a-z-]{0,31})\.json$/;

const uint = z.int().nonnegative();
const schema = z.strictObject({
  format: z.literal(1),
  pid: uint,
  startedAt: uint,
  beatAt: uint,
  vaultUnlocked: z.boolean(),
  newestBackupAt: uint.optional(),
  backupsHoldingErased: uint.optional(),
  trouble: z.enum(ERROR_CODES).optional(),
});

/** What a process that has the vault open says for those that have not. Nothing of it is secret. */
export interface VaultLook {
  vaultUnlocked: boolean;
  /** Unix seconds; left out when there is no backup. */
  newestBackupAt?: number;
  /** Backups that still open records which were erased since. */
  backupsHoldingErased?: number;
  /** Why the process cannot do its work at present: nothing is taken in, say. */
  trouble?: ErrorCode;
}

/** A long-running process of this member, as its last heartbeat has it. */
export interface ProcessState extends VaultLook {
  /** `release-agent`. */
  process: string;
  up: boolean;
}

/** Where the processes of a member say that they live: beside its journal. */
export function heartbeatFolder({ journal }: { journal: string }): string {
  return join(dirname(journal), "alive");
}

/**
 * Says every 5 seconds, in a small file, that this process lives and has the vault open, so that a monitor without a
 * passphrase knows. A process that is killed, hangs or cannot write falls silent, which is the sign.
 */
export class Heartbeat implements Disposable {
  readonly #path: string;
  readonly #look: () => VaultLook;
  readonly #startedAt = now();
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, look: () => VaultLook) {
    this.#path = path;
    this.#look = look;
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    this.#timer.unref();
  }

  /**
   * @param process Letters and hyphens: `release-agent`
   * @param look Asked at each beat; what it throws counts as a locked vault
   */
  static start(folder: string, process: string, look: () => VaultLook): Heartbeat {
    return new Heartbeat(join(folder, `${process}.json`), look);
  }

  #beat(): void {
    const { pid } = process;
    const beat = { format: 1, pid, startedAt: this.#startedAt, beatAt: now(), ...this.#safeLook() };
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      const temporary = `${this.#path}.${pid}.tmp`;
      writeFileSync(temporary, `${JSON.stringify(beat)}\n`, { mode: 0o600 });
      renameSync(temporary, this.#path);
    } catch {
      // A full disk must not end the process that it cannot speak for.
    }
  }

  #safeLook(): VaultLook {
    try {
      return this.#look();
    } catch {
      return { vaultUnlocked: false };
    }
  }

  /** A process that ends in its own way leaves no heartbeat behind. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // It falls silent all the same.
    }
  }
}

/** The processes that ever beat here and did not end in their own way, and those `expected`, by name. */
export function readHeartbeats(folder: string, expected: readonly string[] = [], at = now()): ProcessState[] {
  const found = filesIn(folder).flatMap((file) => FILE.exec(file)?.[1] ?? []);
  const names = [...new Set([...found, ...expected])].toSorted();
  return names.map((name) => readOne(join(folder, `${name}.json`), name, at));
}

function readOne(path: string, name: string, at: number): ProcessState {
  const beat = parse(path);
  const up = beat !== undefined && at - beat.beatAt <= SILENT_S;
  if (!up) return { process: name, up, vaultUnlocked: false };
  const { vaultUnlocked, newestBackupAt, backupsHoldingErased, trouble } = beat;
  return {
    process: name,
    up,
    vaultUnlocked,
    ...(newestBackupAt === undefined ? {} : { newestBackupAt }),
    ...(backupsHoldingErased === undefined ? {} : { backupsHoldingErased }),
    ...(trouble === undefined ? {} : { trouble }),
  };
}

function parse(path: string): z.output<typeof schema> | undefined {
  try {
    const file = statSync(path);
    if (!file.isFile() || file.size > MOST_BYTES) return undefined;
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function now(): number {
  return Math.floor(Date.now() / 1_000);
}

// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from "node:fs/promises";
import { read } from "node:fs";
import { isatty } from "node:tty";
import { ChartsealError, type ErrorCode } from "../errors.js";
import { othersMayRead } from "../secret-file.js";

/** Characters (code points) a new passphrase needs; NIST SP 800-63B asks for 8, a stolen file for more. */
const SHORTEST_PASSPHRASE = 12;
/** A longer source is not a passphrase file. */
const LONGEST_PASSPHRASE_BYTES = 4096;

/** "open" asks for the passphrase, "choose" for a new one (a prompt asks twice). */
export type UnlockPurpose = "open" | "choose";

/**
 * Where a passphrase comes from: the bytes, UTF-8; one line end at the end is dropped. The vault zeroes them
 * after use. Any function can be one, such as a call to a key management service. Never take it from a command
 * line argument or an environment variable: other processes can read those.
 */
export type Unlock = (purpose: UnlockPurpose) => Promise<Uint8Array>;

/**
 * A passphrase the program already holds.
 * @example
 * const vault = await Vault.open("a/vault.db", passphrase(await askTheOperator()));
 */
export function passphrase(value: string): Unlock {
  return async () => Buffer.from(value);
}

/**
 * A file that holds the passphrase, such as a systemd credential. Only its owner may read it, unless systemd put
 * it there (`$CREDENTIALS_DIRECTORY`). On Windows the permissions are not checked.
 * @throws ERR_VAULT_LOCKED (when the vault asks) when it is missing, too long or readable by others
 */
export function credential(path: string): Unlock {
  return () => readPrivateFile(path, "passphrase", "ERR_VAULT_LOCKED");
}

/**
 * A short secret in a file of its own: only its owner may read it, unless systemd put it there.
 * @param what it is, for errors: `passphrase`
 * @throws `code` when it is missing, too long or readable by others
 */
export async function readPrivateFile(path: string, what: string, code: ErrorCode): Promise<Uint8Array> {
  const refuse = (why: string, hint?: string, cause?: unknown) =>
    new ChartsealError(code, why, { values: { path }, ...(hint === undefined ? {} : { hint }), cause });
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw refuse(`the ${what} file ${path} cannot be opened`, undefined, cause);
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw refuse(`the ${what} file ${path} is not a file`);
    if (await othersMayRead(path, status)) {
      throw refuse(`others may read the ${what} file ${path}`, `chmod 600 ${path}`);
    }
    if (status.size > LONGEST_PASSPHRASE_BYTES) throw refuse(`the ${what} file ${path} is too long for one`);
    return await readAll(file.fd);
  } finally {
    await file.close();
  }
}

/**
 * An open file descriptor to read the passphrase from, to its end: `chartseal ... 3< <(command)`. It can be read
 * once and is not closed.
 * @throws ERR_VAULT_LOCKED (when the vault asks) when it is not open or is a terminal, which would show it
 */
export function fileDescriptor(descriptor: number): Unlock {
  return async () => {
    if (isatty(descriptor)) {
      throw locked(`file descriptor ${descriptor} is a terminal`, { descriptor }, "use the prompt");
    }
    try {
      return await readAll(descriptor);
    } catch (error) {
      if (error instanceof ChartsealError) throw error;
      throw locked(`file descriptor ${descriptor} cannot be read`, { descriptor }, undefined, error);
    }
  };
}

/**
 * Asks a source and normalises: one line end dropped, UTF-8, Unicode NFKC (one password typed on two systems
 * gives the same bytes).
 * @throws ERR_VAULT_LOCKED when there is none or it is not UTF-8
 * @throws ERR_USAGE when a new one is shorter than {@link SHORTEST_PASSPHRASE}
 */
export async function askPassphrase(unlock: Unlock, purpose: UnlockPurpose): Promise<Uint8Array> {
  const bytes = await unlock(purpose);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw locked("the passphrase is not UTF-8 text", {});
  } finally {
    bytes.fill(0);
  }
  const normal = text.replace(/\r?\n$/, "").normalize("NFKC");
  if (normal === "") throw locked("the passphrase is empty", {});
  if (purpose === "choose" && [...normal].length < SHORTEST_PASSPHRASE) {
    throw new ChartsealError(
      "ERR_USAGE",
      `the passphrase is shorter than ${SHORTEST_PASSPHRASE} characters`,
      {
        values: { shortest: SHORTEST_PASSPHRASE },
        hint: "choose six or more random words",
      },
    );
  }
  return Buffer.from(normal);
}

async function readAll(descriptor: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(LONGEST_PASSPHRASE_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = await readSome(descriptor, buffer, length);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
  }
  buffer.fill(0);
  throw locked(`a passphrase is at most ${LONGEST_PASSPHRASE_BYTES} bytes long`, {
    longest: LONGEST_PASSPHRASE_BYTES,
  });
}

function readSome(descriptor: number, buffer: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const attempt = (): void =>
      read(descriptor, buffer, offset, buffer.length - offset, null, (error, count) => {
        if (error === null) resolve(count);
        else if (error.code === "EAGAIN")
          setTimeout(attempt, 10); // a non-blocking pipe without data yet
        else if (error.code === "EOF") resolve(0);
        else reject(error);
      });
    attempt();
  });
}

function locked(
  message: string,
  values: Record<string, string | number>,
  hint?: string,
  cause?: unknown,
): ChartsealError {
  return new ChartsealError("ERR_VAULT_LOCKED", message, {
    values,
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ChartsealError } from "../errors.js";

/**
 * Writes a file that only its owner may read and that appears whole: under a temporary name first, renamed at its
 * end. When `content` fails, nothing is left.
 * @throws ERR_STORE_FULL, ERR_STORE_FAILED; what `content` throws
 */
export async function writeWhole(
  path: string,
  content: string | AsyncIterable<Uint8Array>,
  mode = 0o600,
): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${basename(path).slice(0, 60)}.${randomBytes(6).toString("hex")}.tmp`,
  );
  const file = await writing(path, () => open(temporary, "wx", mode));
  try {
    try {
      if (typeof content === "string") await writing(path, () => file.writeFile(content));
      else for await (const piece of content) await writing(path, () => writeAll(file, piece));
      await writing(path, () => file.datasync());
    } finally {
      await file.close();
    }
    await writing(path, () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * As {@link writeWhole}, but refuses to replace a file, and holds the place from before `content` is made: what that
 * does cannot be lost for want of one.
 * @throws ERR_USAGE; as writeWhole
 */
export async function writeNew(
  path: string,
  content: string | (() => Promise<string>),
  mode = 0o600,
): Promise<void> {
  const file = await writing(path, async () => {
    try {
      return await open(path, "wx", mode);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw existing(path);
    }
  });
  try {
    try {
      const text = typeof content === "string" ? content : await content();
      await writing(path, () => file.writeFile(text));
      await writing(path, () => file.datasync());
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Before long work: what would be replaced stays. @throws ERR_USAGE */
export function expectAbsent(path: string): void {
  if (existsSync(path)) throw existing(path);
}

/** A folder, with those above it, that only this user may enter. */
export async function makeFolder(path: string): Promise<void> {
  await writing(path, () => mkdir(path, { recursive: true, mode: 0o700 }));
}

/** A folder that other members share: whom the user's umask lets in. */
export async function makeShared(path: string): Promise<void> {
  await writing(path, () => mkdir(path, { recursive: true }));
}

/** @throws ERR_USAGE when it cannot be read */
export async function readText(path: string): Promise<string> {
  return Buffer.from(await readBytes(path))
    .toString("utf8")
    .replace(/^\ufeff/, "");
}

/** @throws ERR_USAGE when it cannot be read */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new ChartsealError("ERR_USAGE", `${path} cannot be read (${code})`, {
      values: { path, code },
      cause,
    });
  }
}

/** @throws ERR_USAGE unless there is a file that can be read */
export async function expectReadable(path: string): Promise<void> {
  try {
    await (await open(path, "r")).close();
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new ChartsealError("ERR_USAGE", `${path} cannot be read (${code})`, {
      values: { path, code },
      cause,
    });
  }
}

function existing(path: string): ChartsealError {
  return new ChartsealError("ERR_USAGE", `${path} exists already and is never overwritten`, {
    values: { path },
    hint: "choose another name, or move it away",
  });
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length;) done += (await file.write(piece, done)).bytesWritten;
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    const full = code === "ENOSPC" || code === "EDQUOT";
    throw new ChartsealError(
      full ? "ERR_STORE_FULL" : "ERR_STORE_FAILED",
      `${path} cannot be written (${code})`,
      {
        values: { path, code },
        retryable: full,
        cause,
      },
    );
  }
}

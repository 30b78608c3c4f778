// SPDX-License-Identifier: Apache-2.0
import { randomBytes, randomInt } from "node:crypto";
import { constants, mkdir, open, opendir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Exchange } from "./exchange.js";
import {
  LONGEST_MESSAGE_BYTES,
  parseMessage,
  requirePlace,
  type Message,
  type MessageType,
  type Place,
} from "./message.js";

/** Messages that one `receive` reads: a flood of them fills no memory. */
const MOST_AT_ONCE = 200;
/** File names that one `receive` chooses from. */
const MOST_NAMES = 10_000;
/** No link is followed out of the folder, and a pipe without a writer does not hold us. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Messages as files: `<folder>/member-<to>/<type>/<id>.json`. Any member can write any file there. */
export class FolderExchange implements Exchange {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws ERR_STORE_FULL, ERR_STORE_FAILED, ERR_USAGE */
  async send(message: Message): Promise<void> {
    const path = this.#path(message);
    const folder = this.#box(message.to, message.type);
    const temporary = join(folder, `.${randomBytes(8).toString("hex")}.tmp`);
    try {
      await mkdir(folder, { recursive: true });
      await writeDurably(temporary, JSON.stringify(message));
      // A reader sees the whole message or none.
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw folderError(error);
    }
  }

  /** @throws ERR_STORE_FAILED */
  async receive(to: number, type: MessageType): Promise<Message[]> {
    const ids = await this.#ids(to, type);
    const messages: Message[] = [];
    // Drawn by lot: whoever floods the folder cannot choose to be first, and what waits holds up nothing for ever.
    while (ids.length > 0 && messages.length < MOST_AT_ONCE) {
      const [id] = ids.splice(randomInt(ids.length), 1) as [Hex];
      try {
        const message = await this.find(to, type, id);
        if (message !== undefined) messages.push(message);
      } catch (error) {
        if (!(error instanceof ChartsealError) || error.code === "ERR_STORE_FAILED") throw error;
        await this.#setAside({ to, type, id });
      }
    }
    return messages;
  }

  /** @throws ERR_EXCHANGE_INVALID when it is malformed; ERR_STORE_FAILED, ERR_FORMAT_UNSUPPORTED, ERR_USAGE */
  async find(to: number, type: MessageType, id: Hex): Promise<Message | undefined> {
    const bytes = await readWhole(this.#path({ to, type, id }), LONGEST_MESSAGE_BYTES[type]);
    if (bytes === undefined) return undefined;
    const message = parseMessage(decoded(bytes));
    // A file under another's name would let an old message pass for the awaited one.
    if (message.to === to && message.type === type && message.id === id) return message;
    throw new ChartsealError(
      "ERR_EXCHANGE_INVALID",
      `an Exchange message lies where it does not belong: ${id}`,
      {
        values: { id, type },
      },
    );
  }

  /** @throws ERR_STORE_FAILED, ERR_USAGE */
  async remove(place: Place): Promise<void> {
    await rm(this.#path(place), { force: true, recursive: true }).catch((error: unknown) => {
      throw folderError(error);
    });
  }

  async #ids(to: number, type: MessageType): Promise<Hex[]> {
    const ids: Hex[] = [];
    try {
      for await (const { name } of await opendir(this.#box(to, type))) {
        if (!/^0x[0-9a-f]{64}\.json$/.test(name)) continue;
        ids.push(name.slice(0, -".json".length) as Hex);
        if (ids.length === MOST_NAMES) break;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw folderError(error);
    }
    return ids;
  }

  /** What is no message is kept for people to look at, where it costs no more time. */
  async #setAside(place: Place): Promise<void> {
    const folder = join(this.#folder, `member-${place.to}`, "rejected");
    const name = `${place.type}-${place.id}-${randomBytes(4).toString("hex")}`;
    try {
      await mkdir(folder, { recursive: true });
      await rename(this.#path(place), join(folder, name));
    } catch (error) {
      // Another process of this member was quicker.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw folderError(error);
    }
  }

  #box(to: number, type: MessageType): string {
    return join(this.#folder, `member-${to}`, type);
  }

  #path(place: Place): string {
    // Before it becomes a path: member ids and access ids come from other members' files.
    requirePlace(place);
    return join(this.#box(place.to, place.type), `${place.id}.json`);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** @returns undefined when there is no such file */
async function readWhole(path: string, most: number): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, READ_FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    // A link, or a pipe or socket that cannot be opened.
    if (code === "ELOOP" || code === "ENXIO") throw malformed("is no file");
    throw folderError(error);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw malformed("is no file");
    if (stat.size > most) throw malformed(`has ${stat.size} bytes: too long`);
    const buffer = Buffer.alloc(stat.size + 1);
    const { bytesRead } = await readAll(file, buffer);
    if (bytesRead > stat.size) throw malformed("grew while it was read");
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw error instanceof ChartsealError ? error : folderError(error);
  } finally {
    await file.close();
  }
}

async function readAll(file: FileHandle, buffer: Buffer): Promise<{ bytesRead: number }> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return { bytesRead: filled };
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("is not UTF-8");
  }
}

function malformed(why: string): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", `an Exchange message ${why}`);
}

function folderError(cause: unknown): ChartsealError {
  const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new ChartsealError(
    full ? "ERR_STORE_FULL" : "ERR_STORE_FAILED",
    full ? "no space left in the Exchange folder" : `the Exchange folder cannot be read or written (${code})`,
    {
      values: { code },
      hint: "check the folder that `exchange` in chartseal.json names, and who may write there",
      retryable: true,
      cause,
    },
  );
}

// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";

export const MESSAGE_TYPES = ["ticket", "request", "release", "refusal"] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`)) as unknown as z.ZodType<Hex>;

const messageSchema = z.strictObject({
  format: z.literal(1),
  type: z.enum(MESSAGE_TYPES),
  /** Terms hash of a ticket, access id of all others. */
  id: hex(32),
  /** Member ids. */
  from: z.int().positive(),
  to: z.int().positive(),
  /** JSON text: signed as it is, byte for byte. */
  body: z.string(),
  /** EIP-712 ExchangeMessage, by a staff account of `from`. */
  signature: hex(65),
});

/** One signed message between members. The same over any transport. */
export type Message = z.output<typeof messageSchema>;

/** A release of a whole chart is the largest message: some 4 KiB a record. */
const LONGEST_MESSAGE_BYTES = 256 * 1024 * 1024;

/** Carries messages between members. Whoever runs it can drop or delay a message, but not read or change one. */
export interface Exchange {
  send(message: Message): Promise<void>;
  /** Messages for a member, of one type. A malformed one is left out. */
  receive(to: number, type: MessageType): Promise<Message[]>;
  /** One message; undefined when it has not come. @throws ERR_EXCHANGE_INVALID when it is malformed */
  find(to: number, type: MessageType, id: Hex): Promise<Message | undefined>;
  /** Takes a message away after it was dealt with. */
  remove(message: Pick<Message, "to" | "type" | "id">): Promise<void>;
}

/** Messages as files: `<folder>/member-<to>/<type>/<id>.json`. */
export class FolderExchange implements Exchange {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async send(message: Message): Promise<void> {
    const folder = this.#box(message.to, message.type);
    await mkdir(folder, { recursive: true });
    const temporary = join(folder, `.${randomBytes(8).toString("hex")}.tmp`);
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(JSON.stringify(message));
      await file.datasync();
    } finally {
      await file.close();
    }
    // A reader sees the whole message or none.
    await rename(temporary, join(folder, `${message.id}.json`));
  }

  async receive(to: number, type: MessageType): Promise<Message[]> {
    const names = await readdir(this.#box(to, type)).catch(() => []);
    const messages: Message[] = [];
    for (const name of names.sort()) {
      if (!/^0x[0-9a-f]{64}\.json$/.test(name)) continue;
      const message = await this.find(to, type, name.slice(0, -5) as Hex).catch(() => undefined);
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  async find(to: number, type: MessageType, id: Hex): Promise<Message | undefined> {
    const path = join(this.#box(to, type), `${id}.json`);
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new ChartsealError("ERR_EXCHANGE_INVALID", "an Exchange message cannot be read", { cause: error });
    }
    const message = parseMessage(text);
    // A file under another's name would let an old message pass for the awaited one.
    if (message.to === to && message.type === type && message.id === id) return message;
    throw new ChartsealError("ERR_EXCHANGE_INVALID", `an Exchange message lies where it does not belong: ${id}`, {
      values: { id, type },
    });
  }

  async remove({ to, type, id }: Pick<Message, "to" | "type" | "id">): Promise<void> {
    await rm(join(this.#box(to, type), `${id}.json`), { force: true });
  }

  #box(to: number, type: MessageType): string {
    return join(this.#folder, `member-${to}`, type);
  }
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseMessage(text: string): Message {
  if (text.length > LONGEST_MESSAGE_BYTES) {
    throw new ChartsealError("ERR_EXCHANGE_INVALID", `an Exchange message has ${text.length} characters: too long`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ChartsealError("ERR_EXCHANGE_INVALID", "an Exchange message is not JSON", {
      hint: "it was cut short or altered on its way; have it sent again",
    });
  }
  const format = (json as { format?: unknown } | null)?.format;
  if (typeof format === "number" && format !== 1) {
    throw new ChartsealError("ERR_FORMAT_UNSUPPORTED", `an Exchange message has format ${format}; this reads 1`);
  }
  const parsed = messageSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ChartsealError("ERR_EXCHANGE_INVALID", `an Exchange message has a bad ${issue?.path.join(".")}`);
}

// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import type { Hex } from "../crypto/index.js";
import { ChartsealError, requireFormat } from "../errors.js";

export const MESSAGE_TYPES = [
  "ticket",
  "request",
  "release",
  "refusal",
  "acknowledgement",
  "replica",
  "late-request",
  "late-release",
  "lookup",
  "lookup-answer",
] as const;
/** What a message between members is. */
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** Most bytes of a message. A release of a whole chart is the largest: some 2.5 KiB a record. */
export const LONGEST_MESSAGE_BYTES: Readonly<Record<MessageType, number>> = {
  ticket: 64 * 1024,
  request: 64 * 1024,
  release: 256 * 1024 * 1024,
  refusal: 64 * 1024,
  acknowledgement: 64 * 1024,
  replica: 256 * 1024 * 1024,
  "late-request": 64 * 1024,
  "late-release": 256 * 1024 * 1024,
  lookup: 64 * 1024,
  "lookup-answer": 256 * 1024 * 1024,
};

/** `bytes` bytes as 0x and lower-case hex. */
export const hexSchema = (bytes: number): z.ZodType<Hex> =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`)) as unknown as z.ZodType<Hex>;

const messageSchema = z.strictObject({
  format: z.literal(1),
  type: z.enum(MESSAGE_TYPES),
  /** Terms hash of a ticket, digest of what is acknowledged, window or lookup id, access id of all others. */
  id: hexSchema(32),
  /** Member ids; to 0: to a patient. */
  from: z.int().positive(),
  to: z.int().nonnegative(),
  /** JSON text: signed as it is, byte for byte. */
  body: z.string().refine((text) => text.isWellFormed(), "not Unicode"),
  /** EIP-712 ExchangeMessage, by a staff account of `from`. */
  signature: hexSchema(65),
});

/** One signed message between members. The same over any transport. */
export type Message = z.output<typeof messageSchema>;

/** Where a message lies. */
export type Place = Pick<Message, "to" | "type" | "id">;

const placeSchema = messageSchema.pick({ to: true, type: true, id: true });

/** @throws ERR_USAGE for a place that no message can have */
export function requirePlace(place: Place): void {
  const parsed = placeSchema.safeParse({ to: place.to, type: place.type, id: place.id });
  if (parsed.success) return;
  throw new ChartsealError(
    "ERR_USAGE",
    `an Exchange message cannot have this ${parsed.error.issues[0]?.path.join(".")}`,
  );
}

/** @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED */
export function parseMessage(text: string): Message {
  return readJson(text, messageSchema, "an Exchange message");
}

/**
 * Reads JSON of one of our formats. Messages name fields, never values.
 * @throws ERR_EXCHANGE_INVALID, ERR_FORMAT_UNSUPPORTED
 */
export function readJson<T>(text: string, schema: z.ZodType<T>, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ChartsealError("ERR_EXCHANGE_INVALID", `${what} is not JSON`, {
      hint: "it was cut short or altered on its way; have it sent again",
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  requireFormat(json, what, parsed.error.issues);
  const field = parsed.error.issues[0]?.path.join(".") || "(top level)";
  throw new ChartsealError("ERR_EXCHANGE_INVALID", `${what} has a bad ${field}`, { values: { field } });
}

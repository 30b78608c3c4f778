// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { readHl7, type BadItem, type SourceItem } from "../../records/index.js";
import { openFile, readContent, type FilePart } from "./content.js";
import { MAX_MESSAGE_BYTES, splitMessages, type Hl7Part } from "./hl7-messages.js";
import { badItem, counted } from "./source.js";
import type { Items, Progress } from "./source.js";

const HL7_MEDIA_TYPE = "x-application/hl7-v2+er7"; // as HAPI writes it

/** Whether bytes without a telling name are HL7 v2: a message, a batch or a file of batches, perhaps in an MLLP frame. */
export function beginsLikeHl7(head: Uint8Array): boolean {
  return /^\x0b?(MSH|BHS|FHS)[^\w\s]/.test(Buffer.from(head.subarray(0, 8)).toString("latin1"));
}

/** Messages of an HL7 v2 file or batch file, each the exact bytes of one message; `path` labels them. */
export async function* hl7FileItems(file: string, path: string, progress: Progress): Items {
  let handle;
  try {
    handle = await openFile(file);
  } catch (error) {
    yield badItem(path, error);
    return;
  }
  yield* hl7Items(handle.createReadStream() as AsyncIterable<Uint8Array>, { path, file }, progress);
}

/** As {@link hl7FileItems}, of a stream that is read once. A bad message does not stop the next. */
export async function* hl7Items(
  chunks: AsyncIterable<Uint8Array>,
  place: { readonly path: string; readonly file?: string },
  progress: Progress,
): Items {
  const { path } = place;
  const batches = new Batches(path);
  try {
    for await (const part of splitMessages(counted(chunks, progress))) {
      yield* batches.see(part);
      if (part.kind === "message") yield itemOf(part, place);
      else if (part.kind === "stray") yield stray(path, part.start);
    }
  } catch (error) {
    yield badItem(path, error);
    return;
  }
  yield* batches.end();
}

function itemOf(
  { number, start, bytes }: Extract<Hl7Part, { kind: "message" }>,
  { path, file }: { readonly path: string; readonly file?: string },
): SourceItem | BadItem {
  const label = `${path}#message ${number}`;
  try {
    if (bytes === undefined) throw tooLong(number);
    const part = file === undefined ? undefined : { file, start, end: start + bytes.length };
    return hl7Item(bytes, { path, label }, part);
  } catch (error) {
    return badItem(label, error);
  }
}

/** The item of one message, of its exact bytes. @throws ERR_ITEM_INVALID when they are none */
export function hl7Item(
  bytes: Uint8Array,
  { path, label }: { readonly path: string; readonly label: string },
  part?: FilePart,
): SourceItem {
  const facts = readHl7(bytes);
  const { sourceKey = label, recordedAt, author, encoding, subjects } = facts;
  const { administrative, replaces, event } = facts;
  return {
    sourceKey,
    label,
    path,
    mediaType: HL7_MEDIA_TYPE,
    ...(encoding === undefined ? {} : { encoding }),
    ...(author === undefined ? {} : { author }),
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...readContent(bytes, part),
    subjects,
    ...(administrative === undefined ? {} : { administrative }),
    ...(replaces === undefined ? {} : { replaces }),
    ...(event === undefined ? {} : { event }),
  };
}

/** What batches say of themselves: a file that was cut short is told, though its messages are taken. */
class Batches {
  readonly #path: string;
  #open: { messages: number } | undefined;
  #fileOpen = false;

  constructor(path: string) {
    this.#path = path;
  }

  *see(part: Hl7Part): Generator<BadItem> {
    if (part.kind === "message" && this.#open !== undefined) this.#open.messages++;
    if (part.kind === "FHS") this.#fileOpen = true;
    if (part.kind === "FTS") this.#fileOpen = false;
    if (part.kind === "BHS") {
      if (this.#open !== undefined) yield* this.end();
      this.#open = { messages: 0 };
    }
    if (part.kind !== "BTS") return;
    // BTS-1, the count of messages, is optional.
    const said = /^BTS.(\d+)/.exec(part.text)?.[1];
    const found = this.#open?.messages;
    this.#open = undefined;
    if (said === undefined || found === undefined || Number(said) === found) return;
    yield this.#bad(`a batch says that it has ${said} messages, and has ${found}`, {
      said: Number(said),
      found,
    });
  }

  *end(): Generator<BadItem> {
    if (this.#open === undefined && !this.#fileOpen) return;
    this.#open = undefined;
    this.#fileOpen = false;
    yield this.#bad("a batch has no end", {});
  }

  #bad(what: string, values: Record<string, number>): BadItem {
    return badItem(
      `${this.#path}#batch`,
      new ChartsealError("ERR_ITEM_INVALID", what, {
        values,
        hint: "the file may be cut short: its messages are taken; ingest it again when it is whole",
      }),
    );
  }
}

function tooLong(number: number): ChartsealError {
  return new ChartsealError(
    "ERR_ITEM_INVALID",
    `message ${number} is longer than ${MAX_MESSAGE_BYTES} bytes`,
    {
      values: { message: number, limit: MAX_MESSAGE_BYTES },
      hint: "ingest it as a file of another type, for instance as its document alone",
    },
  );
}

function stray(path: string, offset: number): BadItem {
  return badItem(
    `${path}#byte ${offset}`,
    new ChartsealError("ERR_ITEM_INVALID", `at byte ${offset} stands what belongs to no message`, {
      values: { offset },
      hint: "HL7 v2 messages begin with MSH at the start of a segment",
    }),
  );
}

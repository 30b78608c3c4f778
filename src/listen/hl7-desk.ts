// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { hl7Item, type LiveIntake } from "../ingest/index.js";
import { readHl7Header, type Control, type Hl7Header } from "../records/index.js";
import { acknowledge, type Verdict } from "./acknowledge.js";
import type { Tally } from "./events.js";
import type { Frame } from "./frames.js";
import { refusalOf } from "./refusal.js";

/** Message types that answer one of ours: they are no records, and to answer them would never end. */
const ANSWERS: readonly string[] = ["ACK", "MCF"];

/** Takes HL7 v2 messages, and answers each once it is durable. */
export class Hl7Desk {
  readonly #intake: LiveIntake;
  readonly #tally: Tally;

  constructor(intake: LiveIntake, tally: Tally) {
    this.#intake = intake;
    this.#tally = tally;
  }

  /** The answers, each the bytes of a message. Messages are taken in the order of the calls. Never rejects. */
  async take(frame: Frame): Promise<Uint8Array[]> {
    const header = readHl7Header(frame.bytes);
    if (header !== undefined && ANSWERS.includes(header.part(9).toUpperCase())) return [];
    return acknowledge(header, await this.#verdict(frame, header));
  }

  async #verdict({ bytes, error }: Frame, header: Hl7Header | undefined): Promise<Verdict> {
    const door = "mllp";
    try {
      if (error !== undefined) throw error;
      const item = hl7Item(bytes, placeOf(bytes, header));
      const became = await this.#intake.take(item, this.#controlOf(bytes, header));
      const code = became.error?.code;
      if (!became.kept) throw became.error!;
      const size = bytes.length;
      this.#tally.taken({
        door,
        outcome: became.outcome,
        bytes: size,
        ...(code === undefined ? {} : { code }),
      });
      return { code: "A" };
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      this.#tally.refused({ door, code: refusal.error.code, later: refusal.later });
      return { code: refusal.later ? "R" : "E", error: refusal.error.code };
    }
  }

  #controlOf(bytes: Uint8Array, header: Hl7Header | undefined): Control | undefined {
    const number = header?.field(10) ?? "";
    if (header === undefined || number === "") return undefined;
    return this.#intake.controls.of([header.field(3), header.field(4)], number, bytes);
  }
}

/** `mllp/<sending facility>/<sending application>`, for rules to match; the label adds the message's number. */
function placeOf(bytes: Uint8Array, header: Hl7Header | undefined): { path: string; label: string } {
  const path = ["mllp", ...[4, 3].map((field) => segmentOf(header?.text(field) ?? ""))].join("/");
  const number = segmentOf(header?.text(10) ?? "");
  // Without a number its bytes name it, so that it amends no other.
  const name = number === "-" ? hash("sha256", bytes, "hex").slice(0, 16) : number;
  return { path, label: `${path}#${name}` };
}

/** Someone else's text as one segment of a path. */
function segmentOf(text: string): string {
  const segment = text
    .replace(/[/\\\p{C}]/gu, "_")
    .normalize("NFC")
    .slice(0, 100);
  return segment === "" || /^\.+$/.test(segment) ? "-" : segment;
}

// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import type { Journal } from "./journal.js";

/** A sender's message by the number that he gave it. Both are HMACs: who reads the journal learns neither. */
export interface Control {
  /** Of who sends it and how he numbers it. */
  id: Uint8Array;
  /** Of its bytes. */
  content: Uint8Array;
}

/** What a listener acknowledged lately, so that a number that comes again with other bytes is seen. */
export class Controls {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** @param sender application and facility (MSH-3, MSH-4), and @param number the message control id (MSH-10), as sent */
  of(sender: readonly [string, string], number: string, bytes: Uint8Array): Control {
    const parts = [...sender, number].map((part) => Buffer.from(part, "latin1"));
    return {
      id: this.#journal.macOf("control", ...parts),
      content: this.#journal.macOf("message", hash("sha256", bytes, "buffer")),
    };
  }

  /** Whether the number came before, lately, with other bytes. */
  contradicts({ id, content }: Control): boolean {
    const row = this.#journal.database.get("SELECT content_mac FROM controls WHERE control_mac = ?", id);
    return row !== undefined && !Buffer.from(row["content_mac"] as Uint8Array).equals(content);
  }

  /** Call it in the commit that makes the message durable. */
  add({ id, content }: Control): void {
    this.#journal.database.run(
      `INSERT INTO controls (control_mac, content_mac, taken_at) VALUES (?, ?, ?)
       ON CONFLICT (control_mac) DO UPDATE SET taken_at = excluded.taken_at`,
      id,
      content,
      Math.floor(Date.now() / 1_000),
    );
  }

  /** Senders begin their numbers again some day. @returns how many were forgotten, up to `most` */
  forgetOlderThan(seconds: number, most: number): number {
    const before = Math.floor(Date.now() / 1_000) - seconds;
    return this.#journal.database.run(
      `DELETE FROM controls WHERE control_mac IN
         (SELECT control_mac FROM controls WHERE taken_at < ? ORDER BY taken_at LIMIT ?)`,
      before,
      most,
    );
  }
}

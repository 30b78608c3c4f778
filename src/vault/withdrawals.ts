// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/bytes.js";
import type { Database } from "../sqlite.js";
import type { Settings } from "./settings.js";

/** What a patient withdrew by telling this member, before the chain knows of it. */
export interface Withdrawal {
  patientId: Hex;
  /** Names it among the patient's. */
  key: Hex;
  /** As it was checked, signature and all: JSON. */
  json: string;
}

/** Withdrawals by patient, and which of them the chain has still to be told. They are never forgotten. */
export class Withdrawals {
  readonly #database: Database;
  readonly #settings: Settings;

  constructor(database: Database, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
  }

  /** Durable when it returns. False when it was known. */
  add(withdrawal: Withdrawal): boolean {
    const { patientId, key, json } = withdrawal;
    return this.#database.transaction(() => {
      const known = this.of(patientId);
      if (known.some((each) => each.key === key)) return false;
      this.#write(`withdrawals/${patientId}`, [...known, { patientId, key, json }]);
      this.#write("withdrawals", [...this.waiting(), withdrawal]);
      return true;
    });
  }

  of(patientId: Hex): Withdrawal[] {
    return this.#read(`withdrawals/${patientId}`);
  }

  /** Those that the chain has still to be told, oldest first. */
  waiting(): Withdrawal[] {
    return this.#read("withdrawals");
  }

  /** The chain knows of it, or never will. */
  told({ patientId, key }: Withdrawal): void {
    this.#database.transaction(() => {
      const rest = this.waiting().filter((each) => each.patientId !== patientId || each.key !== key);
      this.#write("withdrawals", rest);
    });
  }

  #read(name: string): Withdrawal[] {
    const stored = this.#settings.get(name);
    return stored === undefined ? [] : (JSON.parse(Buffer.from(stored).toString()) as Withdrawal[]);
  }

  #write(name: string, withdrawals: readonly Withdrawal[]): void {
    this.#settings.set(name, Buffer.from(JSON.stringify(withdrawals)));
  }
}

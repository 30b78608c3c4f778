// SPDX-License-Identifier: Apache-2.0
import { createHmac } from "node:crypto";
import { ChartsealError } from "../errors.js";
import type { Database } from "../sqlite.js";
import type { Settings } from "./settings.js";

/** A patient's records are filed in compartments numbered 0..63: a bitmap of them fits a uint64. */
const COMPARTMENT_COUNT = 64;

/**
 * The names a new vault starts with; "general" is for all that is not sensitive. The others follow the
 * sensitivities of HL7 v3-ActCode (ActInformationSensitivityPolicy: PSY, HIV, GDIS, ETH, STD, SEX, ADOL, SDV, EMP).
 */
export const DEFAULT_COMPARTMENTS = [
  "general",
  "psychiatry",
  "hiv",
  "genetics",
  "substance-use",
  "sexual-health",
  "reproductive",
  "adolescent",
  "violence",
  "employee",
] as const;

const SETTING = "compartment-names";

/**
 * The vault's list of compartment names. A name's place in it never changes; a patient's number for the name is
 * the secret permutation of that place, so that equal numbers of two patients mean nothing.
 */
export class CompartmentNames {
  readonly #database: Database;
  readonly #settings: Settings;

  constructor(database: Database, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
  }

  /** Writes the default names into a new vault. */
  initialise(): void {
    this.#write([...DEFAULT_COMPARTMENTS]);
  }

  all(): string[] {
    const stored = this.#settings.get(SETTING);
    // Starting over would give used numbers to other names.
    if (stored === undefined) {
      throw new ChartsealError("ERR_VAULT_DAMAGED", "the vault's compartment names are missing", {
        hint: "restore the vault from its backup",
      });
    }
    return JSON.parse(Buffer.from(stored).toString()) as string[];
  }

  /** The place of `name`, added to the list when it is new. */
  place(name: string): number {
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) {
      throw new ChartsealError(
        "ERR_USAGE",
        "a compartment name is 1 to 64 of a-z, 0-9 and -, from a letter on",
      );
    }
    const known = this.all().indexOf(name);
    if (known >= 0) return known;
    return this.#database.transaction(() => {
      const names = this.all(); // again: another process may have added it
      if (!names.includes(name)) {
        if (names.length >= COMPARTMENT_COUNT) {
          throw new ChartsealError("ERR_USAGE", `all ${COMPARTMENT_COUNT} compartments have a name`, {
            values: { compartments: COMPARTMENT_COUNT },
          });
        }
        names.push(name);
        this.#write(names);
      }
      return names.indexOf(name);
    });
  }

  #write(names: string[]): void {
    // 64 names of 64 letters: padded to one length, so that it does not show how many there are.
    this.#settings.set(SETTING, Buffer.from(JSON.stringify(names).padEnd(COMPARTMENT_COUNT * 67 + 1)));
  }
}

/**
 * The permutation of 0..63 that belongs to a patient's 32-byte key: Fisher-Yates, drawing from
 * HMAC-SHA-256(key, "chartseal/compartments/v1" || block number), a byte at a time, without bias.
 */
export function compartmentPermutation(key: Uint8Array): number[] {
  const numbers = Array.from({ length: COMPARTMENT_COUNT }, (_, place) => place);
  const bytes = keyStream(key);
  for (let last = COMPARTMENT_COUNT - 1; last > 0; last--) {
    const choices = last + 1;
    let byte: number;
    do byte = bytes.next().value;
    while (byte >= 256 - (256 % choices)); // else low numbers came more often
    const other = byte % choices;
    [numbers[last], numbers[other]] = [numbers[other]!, numbers[last]!];
  }
  return numbers;
}

function* keyStream(key: Uint8Array): Generator<number, never> {
  for (let block = 0; ; block++) {
    yield* createHmac("sha256", key).update("chartseal/compartments/v1").update(Buffer.of(block)).digest();
  }
}

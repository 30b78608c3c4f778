// SPDX-License-Identifier: Apache-2.0
import {
  concatBytes,
  fromHex,
  lookupRow,
  makeLookupKey,
  makeLookupTable,
  toHex,
  type Hex,
  type LookupKey,
  type LookupRow,
} from "../crypto/index.js";
import type { Vault } from "../vault/index.js";

const SECRET = "lookup-key";
/** ristretto255: a scalar, and an element. */
const SECRET_KEY_LENGTH = 32;

/** The rows of this member's patients. Each costs milliseconds, so they are made once in a process. */
export class LookupTables {
  readonly #vault: Vault;
  readonly #rows = new Map<string, LookupRow>();
  #keyOfRows: Hex | undefined;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** Rows of the patients that are new, with pauses for the rest of the process. */
  async prepare(signal: AbortSignal): Promise<void> {
    const key = lookupKey(this.#vault);
    if (toHex(key.publicKey) !== this.#keyOfRows) this.#rows.clear();
    this.#keyOfRows = toHex(key.publicKey);
    for (const { system, value } of identifiersOf(this.#vault)) {
      if (signal.aborted) return;
      const name = JSON.stringify([system, value]);
      if (this.#rows.has(name)) continue;
      this.#rows.set(name, lookupRow(key, system, value));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  table(): Uint8Array {
    const rows = identifiersOf(this.#vault).flatMap(({ system, value, patientId }) => {
      const row = this.#rows.get(JSON.stringify([system, value]));
      return row === undefined ? [] : [{ ...row, patientId: fromHex(patientId, 32) }];
    });
    return makeLookupTable(rows);
  }
}

function identifiersOf(vault: Vault) {
  return vault
    .patients()
    .filter(({ administrative }) => !administrative)
    .flatMap(({ patientId, identifiers }) => identifiers.map((identifier) => ({ ...identifier, patientId })));
}

/** The key of this member's evaluations: made when it is first needed. */
export function lookupKey(vault: Vault): LookupKey {
  const kept = vault.getSecret(SECRET);
  if (kept !== undefined) {
    return { secretKey: kept.slice(0, SECRET_KEY_LENGTH), publicKey: kept.slice(SECRET_KEY_LENGTH) };
  }
  const { secretKey, publicKey } = makeLookupKey();
  vault.setSecret(SECRET, concatBytes(secretKey, publicKey));
  // Another agent may have made one at the same time: what is stored last counts for both.
  return lookupKey(vault);
}

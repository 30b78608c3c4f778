// SPDX-License-Identifier: Apache-2.0
import { concatBytes, equalBytes, uintBytes } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";
import type { Database } from "../sqlite.js";
import { expectLength } from "./expected-bytes.js";
import type { Cell } from "./sealed-cell.js";
import type { VaultKeys } from "./vault-keys.js";

/** X-Wing (draft-connolly-cfrg-xwing-kem): the secret key is a 32-byte seed. */
const SECRET_KEY_BYTES = 32;

export interface MemberKey {
  /** The key epoch in the MemberRegistry, 1 or more. */
  epoch: number;
  publicKey: Uint8Array;
  /** 32 bytes. */
  secretKey: Uint8Array;
}

/** The member's encryption key pairs, one an epoch; old ones still open old capsules. */
export class MemberKeys {
  readonly #database: Database;
  readonly #keys: VaultKeys;

  constructor(database: Database, keys: VaultKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  add({ epoch, publicKey, secretKey }: MemberKey): void {
    expectLength(secretKey, SECRET_KEY_BYTES, "the member's secret key");
    const pair = concatBytes(secretKey, publicKey);
    const sealed = this.#keys.seal(memberCell(epoch), pair);
    this.#database.transaction(() => {
      if (
        this.#database.run("INSERT INTO member_keys VALUES (?, ?) ON CONFLICT DO NOTHING", epoch, sealed) > 0
      )
        return;
      if (equalBytes(this.#pair(epoch), pair)) return;
      throw new ChartsealError("ERR_USAGE", `epoch ${epoch} already has another member key`, {
        values: { epoch },
      });
    });
    pair.fill(0);
  }

  secretKey(epoch: number): Uint8Array {
    const pair = this.#pair(epoch);
    const secretKey = pair.slice(0, SECRET_KEY_BYTES);
    pair.fill(0);
    return secretKey;
  }

  publicKey(epoch: number): Uint8Array {
    return this.#pair(epoch).slice(SECRET_KEY_BYTES);
  }

  currentEpoch(): number | undefined {
    const last = this.#database.get("SELECT max(epoch) AS last FROM member_keys")?.["last"];
    return typeof last === "number" ? last : undefined;
  }

  #pair(epoch: number): Uint8Array {
    const cell = memberCell(epoch);
    const row = this.#database.get("SELECT key_pair FROM member_keys WHERE epoch = ?", epoch);
    if (row !== undefined) return this.#keys.open(cell, row["key_pair"]);
    throw new ChartsealError("ERR_KEY_MISSING", `the vault holds no member key for epoch ${epoch}`, {
      values: { epoch },
    });
  }
}

function memberCell(epoch: number): Cell {
  if (!Number.isInteger(epoch) || epoch < 1 || epoch > 0xffffffff) {
    throw new ChartsealError("ERR_USAGE", `key epoch ${epoch} is not 1 to 2^32-1`, { values: { epoch } });
  }
  return { table: "member_keys", column: "key_pair", row: uintBytes(epoch, 4) };
}

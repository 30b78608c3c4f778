// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { Database } from "../sqlite.js";
import type { Vault } from "../vault/index.js";

const NAME = "journal-rows";
/** The first format whose rows are authenticated. */
const AUTHENTICATED = 3;

type Secrets = Pick<Vault, "getSecret" | "setSecret">;

/** What the vault remembers of its journal. */
export interface JournalTrust {
  format: 1;
  /** Unix seconds since when its rows are authenticated. */
  since: number;
  /** How many items were there already, and were taken as they stood. */
  taken: number;
}

/** Undefined before the journal was first opened. */
export function journalTrust(vault: Secrets): JournalTrust | undefined {
  const kept = vault.getSecret(NAME);
  return kept === undefined ? undefined : (JSON.parse(Buffer.from(kept).toString()) as JournalTrust);
}

/** Remembers from when on the journal's rows are authenticated, the first time it is opened. */
export function rememberTrust(vault: Secrets, database: Database): void {
  if (journalTrust(vault) !== undefined) return;
  const taken = Number(database.get("SELECT count(*) AS n FROM items")!["n"]);
  const trust: JournalTrust = { format: 1, since: Math.floor(Date.now() / 1000), taken };
  vault.setSecret(NAME, Buffer.from(JSON.stringify(trust)));
}

/**
 * Whether a journal of this format still has to be taken on trust. Once only: else whoever can write its file would make
 * it an older one again, change its rows, and have them taken.
 * @throws ERR_STORE_FAILED when its rows were authenticated before
 */
export function mustTakeOnTrust(vault: Secrets, database: Database, format: number): boolean {
  if (format >= AUTHENTICATED) return false;
  if (journalTrust(vault) === undefined) return true;
  throw new ChartsealError(
    "ERR_STORE_FAILED",
    `${database.path} has format ${format}, though its rows were authenticated before`,
    {
      values: { path: database.path, format },
      hint: "it was altered, or is an older copy than its vault: restore journal and vault from one backup",
    },
  );
}

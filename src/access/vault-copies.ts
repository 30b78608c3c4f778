// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readlink, realpath, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Journal } from "../records/index.js";
import type { Vault } from "../vault/index.js";
import { storedRelease, withoutErased, type AgentState } from "./stored-release.js";

/** The link to the newest copy: what a standby's chartseal.json names. */
const CURRENT = "current";
/** Milliseconds between looks for a newer copy. */
const LOOK_MS = 1_000;
/** Milliseconds for which an older copy stays open for what is under way. */
const LINGER_MS = 60_000;

/**
 * Writes a copy of vault and journal to a folder of its own below `folder` and lets the link `current` point to it. The
 * journal comes first: every entry in it has its key in the vault that is copied after it. The last copy before this
 * one stays, for whoever has it open; older ones are deleted.
 */
export async function copyVault(parts: { vault: Vault; journal: Journal }, folder: string): Promise<void> {
  const name = `copy-${randomBytes(8).toString("hex")}`;
  await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  parts.journal.database.copyTo(join(folder, name, "journal.db"));
  parts.vault.copyTo(join(folder, name, "vault.db"));
  const before = await readlink(join(folder, CURRENT)).catch(() => undefined);
  // Databases are replaced by a link, never by a rename: their write-ahead logs go by path.
  const link = join(folder, `.${name}`);
  await symlink(name, link);
  await rename(link, join(folder, CURRENT));
  for (const old of await readdir(folder)) {
    if (/^copy-[0-9a-f]{16}$/.test(old) && old !== name && old !== before)
      await rm(join(folder, old), { recursive: true, force: true });
  }
}

export interface FollowOptions {
  /** Of the vault, through the link. */
  path: string;
  /** Opens vault and journal as the link points now. */
  open: () => Promise<{ vault: Vault; journal: Journal }>;
  signal: AbortSignal;
  onError?: (error: unknown) => void;
}

interface StandbyParts {
  journal: Journal;
  /** What the agent itself released. */
  state: { releases: Pick<AgentState["releases"], "each"> };
}

/**
 * Puts a newer copy into `parts` whenever there is one, until the signal aborts. Of what a copy has as erased, nothing
 * stays in what this agent released.
 */
export async function followCopies(
  parts: StandbyParts & { vault: Vault },
  { path, open, signal, onError }: FollowOptions,
): Promise<void> {
  const opened: Disposable[] = [];
  const erasures = new RepeatedErasures(parts);
  let at = await realpath(path);
  while (!signal.aborted) {
    try {
      const now = await realpath(path);
      if (now !== at) {
        const newer = await open();
        at = now;
        const { vault, journal } = parts;
        Object.assign(parts, newer);
        if (opened.length > 0) linger([journal, vault]);
        opened.splice(0, opened.length, newer.journal, newer.vault);
      }
      erasures.repeat(at);
    } catch (error) {
      onError?.(error);
    }
    await setTimeout(LOOK_MS, undefined, { signal }).catch(() => {});
  }
  for (const each of opened) each[Symbol.dispose]();
}

/** Repeats in an agent's own state what was erased in the vault that it has a copy of. */
class RepeatedErasures {
  readonly #parts: StandbyParts;
  readonly #done = new Set<number>();
  #copy: string | undefined;

  constructor(parts: StandbyParts) {
    this.#parts = parts;
  }

  /** @param copy Names the copy: of each, the journal is looked through once */
  repeat(copy: string): void {
    if (copy === this.#copy) return;
    const { journal, state } = this.#parts;
    const rows = journal.database.all("SELECT log_index FROM items WHERE erased = 1");
    const indices = rows.map((row) => Number(row["log_index"]));
    const erased = new Set(indices.filter((index) => !this.#done.has(index)));
    if (erased.size > 0) {
      state.releases.each((json) => {
        const index = storedRelease(json).indices.find((each) => erased.has(each));
        return index === undefined ? undefined : withoutErased(json, index);
      });
    }
    for (const index of erased) this.#done.add(index);
    this.#copy = copy;
  }
}

function linger(old: readonly Disposable[]): void {
  void setTimeout(LINGER_MS, undefined, { ref: false }).then(() => {
    for (const each of old) each[Symbol.dispose]();
  });
}

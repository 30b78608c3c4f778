// SPDX-License-Identifier: Apache-2.0
import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Chartseal } from "../chartseal.js";
import { ChartsealError } from "../errors.js";
import { copyBodies, holdsWhole, type BodyCopies } from "../lifecycle/index.js";
import type { Journal } from "../records/index.js";
import type { Database } from "../sqlite.js";
import { foldersOf, openEmbeddedStore } from "../storage/index.js";
import type { Context } from "./context.js";

/** Milliseconds between two lines about how far it is. */
const TELL_MS = 5_000;
/** Missing bodies that are named to people one by one. */
const NAMED = 5;

interface Parts extends Pick<Chartseal, "store" | "config"> {
  /** The journal whose bodies are meant: this member's, or a copy of it. */
  journal: Database;
  rows: Journal["rows"];
}

/** Adds to a folder of bodies, shared by all backups, those that a journal names. The folder is an embedded store. */
export async function copyToPool(
  context: Context,
  parts: Parts & { isErased: (logIndex: number | undefined) => boolean },
  pool: string,
): Promise<BodyCopies> {
  requireApart(parts, pool);
  await using to = await openEmbeddedStore(resolve(pool));
  const copies = await copyBodies({
    from: parts.store,
    to,
    journal: parts.journal,
    rows: parts.rows,
    // A look, and no reading: a night's backup costs what the day brought.
    holds: async (_, cid) => await to.holdsAll(cid),
    ...running(context),
  });
  // What was erased while the copy was made is rightly not there.
  const missing = copies.missing.filter(({ logIndex }) => !parts.isErased(logIndex));
  return { ...copies, missing };
}

/** Puts back, from such a folder, the bodies that the store lacks or holds damaged, and so reads the whole store. @throws ERR_CONFIG_INVALID when there is none */
export async function copyFromPool(context: Context, parts: Parts, pool: string): Promise<BodyCopies> {
  requireApart(parts, pool);
  await using from = await openEmbeddedStore(resolve(pool), { readOnly: true });
  return await copyBodies({
    from,
    to: parts.store,
    journal: parts.journal,
    rows: parts.rows,
    holds: holdsWhole,
    ...running(context),
  });
}

/** What became of the bodies, for people. */
export function bodyLines({ named, copied, missing, removed }: BodyCopies, pool: string): string[] {
  const gone = removed === 0 ? "" : `, ${removed} of erased records removed`;
  return [
    `${named} bodies, ${copied} of them new (${pool})${gone}.`,
    ...missing.slice(0, NAMED).map(({ cid, logIndex, code }) => {
      const what = logIndex === undefined ? "a batch manifest or item" : `entry ${logIndex}`;
      return `not copied: ${what}, ${cid} (${code})`;
    }),
    ...(missing.length > NAMED ? [`... and ${missing.length - NAMED} more not copied`] : []),
  ];
}

function running(context: Context) {
  let toldAt = performance.now();
  const onProgress = ({ named, copied }: BodyCopies) => {
    if (performance.now() - toldAt < TELL_MS) return;
    toldAt = performance.now();
    context.note(`${named} bodies looked at, ${copied} copied`);
  };
  return { signal: context.io.interruption(), onProgress };
}

/** A store copied into itself would be no copy. */
function requireApart({ config }: Pick<Parts, "config">, pool: string): void {
  const path = resolve(pool);
  const isStore = (folder: string) => existsSync(folder) && realpathSync(path) === realpathSync(folder);
  if (!existsSync(path) || !foldersOf(config.store).some(isStore)) return;
  throw new ChartsealError("ERR_USAGE", "--bodies is the store itself", {
    values: { path },
    hint: "give a folder on another disk",
  });
}

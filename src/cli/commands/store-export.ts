// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import { erasedBodies } from "../../durability/index.js";
import { ChartsealError } from "../../errors.js";
import { Entries } from "../../records/index.js";
import { printable } from "../../printable.js";
import { MOST_CAR_BODIES, exportCar } from "../../storage/index.js";
import { dateArgument, indicesArgument } from "../arguments.js";
import { ExitCode, type Context } from "../context.js";
import { CountProgress } from "../count-progress.js";
import { openMember } from "../open-member.js";
import { expectAbsent, writeWhole } from "../private-file.js";

interface Values {
  index?: string;
  since?: string;
}

interface Left {
  cid: string;
  code: string;
}

export async function run(context: Context, values: Values, [file = ""]: string[]): Promise<number> {
  if (values.index !== undefined && values.since !== undefined) {
    throw new ChartsealError("ERR_USAGE", "give --index or --since, not both");
  }
  const signal = context.io.interruption();
  expectAbsent(file);
  await using chartseal = await openMember(context, { chain: "unused" });
  const { cids, failure } = await chosen(chartseal, values);
  const left: Left[] = [];
  let bodies = 0;
  let bytes = 0;
  using progress = new CountProgress(context, "bodies written");
  const pieces = exportCar(chartseal.store, cids, {
    onBody({ size }) {
      signal.throwIfAborted();
      bytes += size;
      progress.update(++bodies, cids.length);
    },
    onLeftOut: ({ cid, error }) => left.push({ cid, code: error.code }),
  });
  await writeWhole(file, pieces);
  const lines = [
    `Wrote ${bodies} bodies, ${bytes} bytes, to ${file}`,
    ...left.map(({ cid, code }) => `Left out: ${cid} (${code})`),
    ...(failure === undefined ? [] : [`There may be more: ${printable(failure.message)}`]),
  ];
  context.print(
    { bodies, bytes, leftOut: left, ...(failure === undefined ? {} : { failure }), file },
    lines.join("\n"),
  );
  return left.length === 0 && failure === undefined ? ExitCode.DONE : ExitCode.PARTLY;
}

/** Which bodies, and why there may be more. */
async function chosen(
  chartseal: Chartseal,
  { index, since }: Values,
): Promise<{ cids: string[]; failure?: ChartsealError }> {
  if (index !== undefined) return { cids: ofEntries(chartseal, indicesArgument(index, "--index")) };
  if (since !== undefined) return { cids: takenSince(chartseal, dateArgument(since, "--since")) };
  const erased = erasedBodies(chartseal.journal, chartseal.vault);
  const cids: string[] = [];
  try {
    for await (const { cid } of chartseal.store.list()) {
      if (!erased.has(cid)) cids.push(cid);
      if (cids.length > MOST_CAR_BODIES) throw tooMany();
    }
  } catch (error) {
    // A replica that does not answer does not keep the others' bodies from being exported.
    const partly = error instanceof ChartsealError && error.code === "ERR_STORE_FAILED" && cids.length > 0;
    if (!partly) throw error;
    return { cids, failure: error };
  }
  return { cids };
}

function ofEntries({ journal, memberId }: Chartseal, indices: readonly number[]): string[] {
  const entries = new Entries(journal, memberId);
  const erased = indices.filter((index) => journal.itemAt(index)?.erased === true);
  if (erased.length > 0) {
    throw new ChartsealError("ERR_KEY_ERASED", `erased: ${erased.join(", ")}`, {
      hint: "leave these entries out",
    });
  }
  return indices.map((index) => entries.at(index).cid);
}

/** Bodies of items of any state, and the manifests without which nobody can verify them. */
function takenSince({ journal, vault }: Chartseal, since: Date): string[] {
  const seconds = Math.floor(since.getTime() / 1_000);
  const first = journal.database.get("SELECT min(id) AS id FROM items WHERE received_at >= ?", seconds)?.[
    "id"
  ];
  if (typeof first !== "number") return [];
  const erased = erasedBodies(journal, vault);
  const rows = journal.database.all(
    "SELECT cid, log_index FROM items WHERE id >= ? AND cid IS NOT NULL ORDER BY id LIMIT ?",
    first,
    MOST_CAR_BODIES + 1,
  );
  const indices = rows.flatMap(({ log_index: index }) => (typeof index === "number" ? [index] : []));
  const firstIndex = indices.reduce((least, index) => Math.min(least, index), Infinity);
  const manifests = journal.batches().filter((batch) => batch.firstIndex + batch.count > firstIndex);
  const cids = [...rows.map(({ cid }) => String(cid)), ...manifests.map(({ manifestCid }) => manifestCid)];
  const chosenCids = [...new Set(cids)].filter((cid) => !erased.has(cid));
  if (chosenCids.length > MOST_CAR_BODIES) throw tooMany();
  return chosenCids;
}

function tooMany(): ChartsealError {
  return new ChartsealError(
    "ERR_USAGE",
    `more than ${MOST_CAR_BODIES} bodies are too many for one CAR file`,
    {
      values: { most: MOST_CAR_BODIES },
      hint: "export parts: --since or --index; or copy the store itself",
    },
  );
}

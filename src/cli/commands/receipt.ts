// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { Receipt } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { Entries } from "../../records/index.js";
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { pinnedRoots } from "../member-roots.js";
import { openMember, openNode } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";
import { makeFolder, writeWhole } from "../private-file.js";
import { memberIdOf } from "../../config.js";

interface Values {
  patient?: string;
  roots?: boolean;
  out?: string;
}

export async function run(context: Context, values: Values, [index]: string[]): Promise<void> {
  const asked = [index !== undefined, values.patient !== undefined, values.roots === true].filter(Boolean);
  if (asked.length !== 1) throw new ChartsealError("ERR_USAGE", "give one of: an index, --patient, --roots");
  if (values.roots === true) await writeRoots(context, values.out);
  else if (values.patient !== undefined) await writePatient(context, values.patient, values.out);
  else await writeOne(context, wholeNumber(index!, "[index]", 1), values.out);
}

async function writeOne(context: Context, index: number, out: string | undefined): Promise<void> {
  await using chartseal = await openMember(context, { chain: "unused" });
  const receipt = chartseal.receipt(index);
  if (out === undefined) return context.print(receipt, pretty(receipt));
  await writeWhole(out, `${pretty(receipt)}\n`);
  context.print({ index, file: out }, `Wrote ${out}`);
}

async function writePatient(context: Context, patient: string, out: string | undefined): Promise<void> {
  if (out === undefined)
    throw new ChartsealError("ERR_USAGE", "--patient needs --out, the folder to write to");
  await using chartseal = await openMember(context, { chain: "unused" });
  const { vault, journal, chain, memberId } = chartseal;
  const patientId = patientArgument(vault, patient);
  const entries = new Entries(journal, memberId);
  const items = journal.itemsOfPatient(patientId);
  await makeFolder(out);
  const receipts: { index: number; file: string }[] = [];
  for (const { logIndex } of items) {
    const index = logIndex!;
    const file = join(out, `${index}.json`);
    await writeWhole(file, `${pretty(entries.receipt(index, chain))}\n`);
    receipts.push({ index, file });
  }
  context.print({ patientId, receipts }, `Wrote ${receipts.length} receipts to ${out}`);
}

/** From the chain, not from the journal: a pinned root is to be what everybody sees. */
async function writeRoots(context: Context, out: string | undefined): Promise<void> {
  using node = await openNode(context);
  const pinned = await pinnedRoots(node.chain, memberIdOf(node.config));
  if (out === undefined) return context.print(pinned, pretty(pinned));
  await writeWhole(out, `${pretty(pinned)}\n`, 0o644);
  context.print({ roots: pinned.roots.length, file: out }, `Wrote ${pinned.roots.length} roots to ${out}`);
}

function pretty(value: Receipt | object): string {
  return JSON.stringify(value, null, 2);
}

// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { Language } from "../../audit/index.js";
import type { Chartseal } from "../../chartseal.js";
import { LeafKind, toHex, type Hex } from "../../crypto/index.js";
import { archiveFiles, zipOf, type ArchiveEntry } from "../../lifecycle/index.js";
import { ExitCode, type Context } from "../context.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";
import { expectAbsent, writeWhole } from "../private-file.js";

export async function run(
  context: Context,
  values: { out: string; language?: Language },
  [person = ""]: string[],
): Promise<number> {
  const signal = context.io.interruption();
  expectAbsent(values.out);
  await using chartseal = await openMember(context);
  const { vault, config } = chartseal;
  const patientId = patientArgument(vault, person);
  const patients = vault.merges.idsOf(patientId);
  const withheld: { index: number; reason: string }[] = [];
  let entries = 0;
  const onEntry = ({ index, withheld: reason }: ArchiveEntry) => {
    signal.throwIfAborted();
    entries++;
    if (reason !== undefined) withheld.push({ index, reason });
  };
  const { memberId, chain, store, journal } = chartseal;
  const parts = { memberId, member: config.member.name, chain, vault, store, journal };
  const language = values.language ?? "en";
  await fileReceipt(chartseal, patientId);
  await writeWhole(values.out, until(signal, zipOf(archiveFiles({ ...parts, language }, patients, onEntry))));
  const lost = withheld.filter(({ reason }) => reason.startsWith("ERR_"));
  context.print(
    { patients, entries, withheld, file: values.out },
    [
      `Wrote ${entries} entries to ${values.out}`,
      ...withheld.map(({ index, reason }) => `  entry ${index} without content: ${reason}`),
    ].join("\n"),
  );
  context.note("It is not encrypted, and holds keys: hand it to the patient only.");
  return lost.length === 0 ? ExitCode.DONE : ExitCode.PARTLY;
}

/** First, evidence in the log: no contract knows what a custodian reads of its own records. */
async function fileReceipt(chartseal: Chartseal, patientId: Hex): Promise<void> {
  const receipt = { format: 1, act: "export", patientId, at: new Date().toISOString() };
  await chartseal.fileDocument({
    kind: LeafKind.ACCESS_RECEIPT,
    patientId,
    ref: toHex(randomBytes(32)),
    mediaType: "application/json",
    label: "export of all records",
    bytes: Buffer.from(`${JSON.stringify(receipt, null, 2)}\n`),
  });
}

async function* until(signal: AbortSignal, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    signal.throwIfAborted();
    yield piece;
  }
}

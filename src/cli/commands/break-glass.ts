// SPDX-License-Identifier: Apache-2.0
import { parseCard, type Card } from "../../access/index.js";
import { keySigner } from "../../chain/index.js";
import type { Chartseal } from "../../chartseal.js";
import { ChartsealError } from "../../errors.js";
import { hashArgument, wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { makeFolder, writeNew } from "../private-file.js";
import { keepStatement, statementText } from "../statement.js";
import { writeRecord, type WrittenRecord } from "../write-record.js";

interface Values {
  patient?: string;
  card?: string;
  custodian?: string;
  chainDown?: boolean;
  reasonFile: string;
  colleague: string;
  out: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  if ((values.patient === undefined) === (values.card === undefined)) {
    throw new ChartsealError("ERR_USAGE", "give --patient or --card, not both");
  }
  const text = await statementText(values.reasonFile, "--reason-file");
  const chainDown = values.chainDown === true;
  await using chartseal = await openMember(context, {
    role: "clinician",
    chain: chainDown ? "unused" : "required",
  });
  const card = cardOf(chartseal, values);
  if (chainDown) await readWithoutChain(context, chartseal, { card, text, values });
  else await openWindow(context, chartseal, { card, text, values });
}

interface Emergency {
  card: Partial<Card> & Pick<Card, "patient">;
  text: string;
  values: Values;
}

function cardOf(chartseal: Chartseal, values: Values): Emergency["card"] {
  const { patient, card, custodian } = values;
  if (card !== undefined) return parseCard(chartseal.chain.deployment, card);
  return {
    patient: hashArgument(patient!, "--patient"),
    ...(custodian === undefined ? {} : { custodian: wholeNumber(custodian, "--custodian", 1) }),
  };
}

async function openWindow(context: Context, chartseal: Chartseal, { card, text, values }: Emergency) {
  const colleague = keySigner(chartseal.vault.staffKey(values.colleague));
  const emergencies = chartseal.emergencies("clinician");
  const prepared = await emergencies.prepare(card.patient, chartseal.signer("clinician").address, text);
  const signature = await emergencies.countersign(prepared, colleague);
  const ticket = await emergencies.breakGlass(prepared, { account: colleague.address, signature });
  keepStatement(chartseal.vault, ticket.termsHash, prepared.reason, text);
  await writeNew(values.out, `${JSON.stringify(ticket, null, 2)}\n`);
  const until = new Date(ticket.terms.notAfter * 1000).toISOString();
  context.print(
    {
      windowId: ticket.termsHash,
      custodian: ticket.custodian,
      until,
      reason: prepared.reason,
      ticket: values.out,
    },
    [
      `Window ${ticket.termsHash} is open until ${until}.`,
      `Read with: chartseal request --grant ${values.out} --purpose BTG`,
      "Every access is logged. Your privacy officer must justify this emergency: chartseal review justify",
    ].join("\n"),
  );
}

async function readWithoutChain(context: Context, chartseal: Chartseal, { card, text, values }: Emergency) {
  const { patient, custodian } = card;
  if (custodian === undefined) {
    throw new ChartsealError("ERR_USAGE", "without the chain nobody can look up the custodian", {
      hint: "give --custodian, or --card, which names him",
    });
  }
  await makeFolder(values.out);
  const { windowId, reason, opened } = await chartseal.access.withoutChain({
    patient,
    custodian,
    reason: text,
    colleague: keySigner(chartseal.vault.staffKey(values.colleague)),
    signal: context.io.interruption(),
  });
  keepStatement(chartseal.vault, windowId, reason, text);
  const records: WrittenRecord[] = [];
  for await (const record of opened.open()) records.push(await writeRecord(values.out, record));
  context.print(
    { windowId, custodian, reason, records, checked: false },
    [
      ...records.map(({ index, file, size }) => `${index}  ${file}  ${size} bytes`),
      `${records.length} records written to ${values.out}. NOT checked against the chain, which is down.`,
      "The custodian files this emergency when the chain is back. Your privacy officer must justify it then.",
    ].join("\n"),
  );
}

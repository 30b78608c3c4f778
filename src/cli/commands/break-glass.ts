// SPDX-License-Identifier: Apache-2.0
import { keySigner } from "../../chain/index.js";
import { hashArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { writeNew } from "../private-file.js";
import { keepStatement, statementText } from "../statement.js";

interface Values {
  patient: string;
  reasonFile: string;
  colleague: string;
  out: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  const patient = hashArgument(values.patient, "--patient");
  const text = await statementText(values.reasonFile, "--reason-file");
  await using chartseal = await openMember(context, { role: "clinician" });
  const colleague = keySigner(chartseal.vault.staffKey(values.colleague));
  const emergencies = chartseal.emergencies("clinician");
  const prepared = await emergencies.prepare(patient, chartseal.signer("clinician").address, text);
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

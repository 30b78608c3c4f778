// SPDX-License-Identifier: Apache-2.0
import type { LookupResult } from "../../access/index.js";
import { ChartsealError } from "../../errors.js";
import { printable } from "../../printable.js";
import { listArgument, wholeNumber } from "../arguments.js";
import { ExitCode, type Context } from "../context.js";
import { openMember } from "../open-member.js";
import { readText } from "../private-file.js";

interface Values {
  system: string;
  valueFile: string;
  custodian?: string;
}

export async function run(context: Context, values: Values): Promise<number> {
  const value = (await readText(values.valueFile)).trim();
  if (value === "") throw new ChartsealError("ERR_USAGE", `--value-file ${values.valueFile} says nothing`);
  const named =
    values.custodian === undefined
      ? undefined
      : listArgument(values.custodian).map((text) => wholeNumber(text, "--custodian", 1));
  await using chartseal = await openMember(context, { role: "clinician" });
  const custodians =
    named ??
    (await chartseal.members.list())
      .filter(({ id, suspension }) => id !== chartseal.memberId && !suspension.includes("REMOVED"))
      .map(({ id }) => id);
  const signal = context.io.interruption();
  const found = await chartseal.findPatient({ system: values.system, value }, { custodians, signal });
  context.print({ found }, found.map(lineOf).join("\n"));
  if (found.some(({ answered }) => !answered)) return ExitCode.PARTLY;
  return found.some(({ patient }) => patient !== undefined) ? ExitCode.DONE : ExitCode.FAILED;
}

function lineOf({ custodian, patient, answered, error }: LookupResult): string {
  if (error !== undefined) {
    return `member ${custodian}: an answer that does not hold: ${printable(error.message)} (${error.code})`;
  }
  if (!answered) return `member ${custodian}: no answer`;
  return `member ${custodian}: ${patient ?? "does not know this identifier"}`;
}

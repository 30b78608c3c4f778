// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import type { PatientIdentifier } from "../../vault/index.js";
import { ChartsealError } from "../../errors.js";
import { handOut } from "../act-file.js";
import type { Context } from "../context.js";
import { expectSet, guardianArguments, type GuardianValues } from "../guardian-arguments.js";
import { keyArgument } from "../key-argument.js";
import { keyFileSigner } from "../key-file.js";
import { openMember } from "../open-member.js";
import { identifierArgument } from "../patient-argument.js";

/** Reads standard input. */
const STDIN = "-";

interface Values extends GuardianValues {
  identifier: string[];
  label?: string;
  signerKey?: string;
  key?: string;
  act?: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  expectOneSigner(values);
  const identifiers = (await linesOf(context, values.identifier)).map(identifierArgument);
  const label = values.label === undefined ? {} : { label: values.label };
  const signer = values.signerKey === undefined ? undefined : await keyFileSigner(values.signerKey);
  await using chartseal = await openMember(context, { role: "operator" });
  if (values.act !== undefined) {
    return await prepare(context, chartseal, values, { identifiers, ...label });
  }
  const patientId = await chartseal.patients.enrol({
    identifiers,
    ...label,
    ...(signer === undefined ? {} : { signer }),
  });
  context.print({ patientId }, `Enrolled ${patientId}`);
}

/** What was given; for a single `-`, the lines of standard input. */
async function linesOf({ io }: Context, given: readonly string[]): Promise<readonly string[]> {
  if (!given.includes(STDIN)) return given;
  if (given.length > 1) throw new ChartsealError("ERR_USAGE", "--identifier - stands alone");
  const bytes = Buffer.concat(await Array.fromAsync(io.stdin));
  const lines = bytes
    .toString("utf8")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  if (lines.length > 0) return lines;
  throw new ChartsealError("ERR_USAGE", "standard input has no identifier", {
    hint: "one a line: system|value",
  });
}

/** Who holds his key elsewhere signs an act first. */
function expectOneSigner(values: Values): void {
  const { signerKey, key, guardian, act } = values;
  expectSet(values);
  const given = [signerKey, key, guardian].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw new ChartsealError("ERR_USAGE", "give at most one of --signer-key, --key, --guardian");
  }
  if ((act === undefined) === (key === undefined && guardian === undefined)) return;
  throw new ChartsealError("ERR_USAGE", "--act goes with --key or --guardian, whose holders sign elsewhere");
}

async function prepare(
  context: Context,
  chartseal: Chartseal,
  values: Values,
  details: { identifiers: PatientIdentifier[]; label?: string },
): Promise<void> {
  const { deployment } = chartseal.chain;
  const { passkeys } = deployment;
  const who =
    values.key === undefined
      ? await guardianArguments(values, passkeys)
      : { key: await keyArgument(values.key, "--key", passkeys) };
  const pseudonym = await chartseal.patients.reserve(details);
  const file = await chartseal.acts().enrolment(pseudonym, who);
  await handOut(context, values.act!, file, deployment);
}

// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { handOut } from "../act-file.js";
import { endArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { keyArgument } from "../key-argument.js";
import { openMember } from "../open-member.js";
import { patientArgument } from "../patient-argument.js";

interface Values {
  patient: string;
  key: string;
  until?: string;
  end?: boolean;
  act: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  if ((values.until === undefined) !== (values.end === true)) {
    throw new ChartsealError("ERR_USAGE", "give --until, or --end");
  }
  await using chartseal = await openMember(context);
  const { deployment } = chartseal.chain;
  const patientId = patientArgument(chartseal.vault, values.patient);
  const key = await keyArgument(values.key, "--key", deployment.passkeys);
  const until = values.until === undefined ? null : endArgument(values.until, "--until");
  await handOut(context, values.act, await chartseal.acts().delegation(patientId, key, until), deployment);
}

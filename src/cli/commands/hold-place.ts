// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { endArgument, indicesArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { expectHoldDevice, readHoldAct, type HoldValues } from "../hold-act.js";
import { openMember } from "../open-member.js";
import { patientSignature } from "../patient-signature.js";

interface Values extends HoldValues {
  until?: string;
}

export async function run(context: Context, values: Values, [text]: string[]): Promise<void> {
  expectHoldDevice(values, text);
  if ((text === undefined) !== (values.until === undefined))
    throw new ChartsealError("ERR_USAGE", "indices and --until go together");
  await using chartseal = await openMember(context, { role: "operator" });
  const holds = chartseal.holds();
  const act =
    text === undefined
      ? await readHoldAct(chartseal, values.document!, "Hold")
      : await holds.placing(indicesArgument(text, "[indices]"), endArgument(values.until!, "--until"));
  if (values.typedData === true) return context.print(act, JSON.stringify(act, null, 2));
  await holds.place(act, await patientSignature(values, act.typedData));
  const indices = act.entries.map(({ leaf }) => leaf.index);
  const until = new Date((act.typedData.message["until"] as number) * 1_000).toISOString();
  context.print({ indices, until }, `On hold until ${until}: ${indices.join(", ")}`);
}

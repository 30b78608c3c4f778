// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { indicesArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { expectHoldDevice, readHoldAct, type HoldValues } from "../hold-act.js";
import { openMember } from "../open-member.js";
import { patientSignature } from "../patient-signature.js";

interface Values extends HoldValues {
  ended?: boolean;
}

export async function run(context: Context, values: Values, [text]: string[]): Promise<void> {
  if (values.ended === true) return await liftEnded(context, values, text);
  expectHoldDevice(values, text);
  await using chartseal = await openMember(context, { role: "operator" });
  const act =
    text === undefined
      ? await readHoldAct(chartseal, values.document!, "HoldLift")
      : await chartseal.holds().lifting(indicesArgument(text, "[indices]"));
  if (values.typedData === true) return context.print(act, JSON.stringify(act, null, 2));
  const signature = await patientSignature(values, act.typedData);
  const { memberId } = act.entries[0]!.leaf;
  await chartseal.holds(memberId === chartseal.memberId ? "operator" : "reviewer").lift(act, signature);
  report(
    context,
    act.entries.map(({ leaf }) => leaf.index),
  );
}

async function liftEnded(context: Context, values: Values, text: string | undefined): Promise<void> {
  const { signerKey, typedData, signature, document } = values;
  if (text === undefined || [signerKey, typedData, signature, document].some((value) => value !== undefined))
    throw new ChartsealError("ERR_USAGE", "--ended takes indices, and no signature");
  const indices = indicesArgument(text, "[indices]");
  await using chartseal = await openMember(context, { role: "operator" });
  await chartseal.holds().liftEnded(indices);
  report(context, indices);
}

function report(context: Context, indices: number[]): void {
  context.print({ indices }, `No longer on hold: ${indices.join(", ")}`);
}

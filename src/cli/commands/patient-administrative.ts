// SPDX-License-Identifier: Apache-2.0
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

export async function run(context: Context): Promise<void> {
  await using chartseal = await openMember(context, { role: "operator" });
  const patientId = await chartseal.patients.administrative();
  context.print({ patientId }, `Administrative id ${patientId}`);
}

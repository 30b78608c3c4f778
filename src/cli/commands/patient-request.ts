// SPDX-License-Identifier: Apache-2.0
import { ownRequestFields } from "../../access/index.js";
import { SIGNING_TIME } from "../../acts/index.js";
import { handOut } from "../act-file.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { keepKey, ownRequestOptions, type OwnRequestValues } from "../own-request.js";

export async function run(context: Context, values: OwnRequestValues & { act: string }): Promise<void> {
  await using chartseal = await openMember(context);
  const { vault, chain } = chartseal;
  const request = ownRequestOptions(chartseal, values);
  const { custodian } = await chartseal.acts().standing(request.patient);
  const own = await chartseal.ownRecords(custodian);
  const deadline = new Date(((await chain.time()) + SIGNING_TIME) * 1_000);
  const { terms, key } = await own.prepare({ ...request, deadline });
  const file = await chartseal.acts().ownRequest(ownRequestFields(terms));
  keepKey(vault, key);
  await handOut(context, values.act, file, chain.deployment);
}

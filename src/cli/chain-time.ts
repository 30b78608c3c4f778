// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../chartseal.js";

/** The contract refuses a moment in its future, and its clock may lag behind ours. */
export async function chainTime({ chain }: Chartseal): Promise<Date> {
  const block = await chain.ask(() => chain.provider.getBlock("latest"));
  return new Date((block?.timestamp ?? 0) * 1000);
}

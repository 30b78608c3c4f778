// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../chartseal.js";
import { ChartsealError } from "../errors.js";

/** `--to`: a member's id, by id or name. @throws ERR_USAGE */
export async function memberArgument({ members }: Chartseal, text: string): Promise<number> {
  const list = await members.list();
  const found = list.filter(({ id, name }) => String(id) === text || name === text);
  if (found.length === 1) return found[0]!.id;
  throw new ChartsealError(
    "ERR_USAGE",
    `--to: ${found.length === 0 ? "no member" : "several members"}: ${text}`,
    {
      values: { member: text },
      hint: "`chartseal member list` shows ids and names",
    },
  );
}

// SPDX-License-Identifier: Apache-2.0
import { Members } from "../../members/index.js";
import type { Context } from "../context.js";
import { openNode } from "../open-member.js";
import { table } from "../table.js";

export async function run(context: Context): Promise<void> {
  using node = await openNode(context);
  const members = await new Members(node.chain).list();
  const own = node.config.member.id;
  const rows = members.map(({ id, name, admin, suspension, keyEpoch }) => [
    id,
    id === own ? `${name} (this member)` : name,
    admin,
    keyEpoch,
    suspension.join(" ") || "active",
  ]);
  context.print({ members }, table(["ID", "NAME", "ADMIN", "KEY EPOCH", "STATE"], rows));
}

// SPDX-License-Identifier: Apache-2.0
import { keySigner } from "../../chain/index.js";
import type { Context } from "../context.js";
import { dayText } from "../arguments.js";
import { staffName } from "../enrol-staff.js";
import { openMember } from "../open-member.js";
import { table } from "../table.js";

export async function run(context: Context): Promise<void> {
  await using chartseal = await openMember(context);
  const { vault, members, memberId } = chartseal;
  const held = new Map(
    vault.staffKeyNames().map((name) => [keySigner(vault.staffKey(name)).address.toLowerCase(), name]),
  );
  const staff = (await members.staffOf(memberId)).map((info) => {
    const name = held.get(info.account) ?? staffName(chartseal, info.account);
    return { ...(name === undefined ? {} : { name }), ...info, keyInVault: held.has(info.account) };
  });
  const rows = staff.map(({ name, account, roles, notAfter, revokedSince, keyInVault }) => [
    name,
    account,
    roles.join(","),
    dayText(new Date(notAfter * 1000)),
    revokedSince === undefined ? "enrolled" : `revoked ${dayText(new Date(revokedSince * 1000))}`,
    keyInVault ? "vault" : "elsewhere",
  ]);
  context.print({ staff }, table(["NAME", "ACCOUNT", "ROLES", "NOT AFTER", "STATE", "KEY"], rows));
}

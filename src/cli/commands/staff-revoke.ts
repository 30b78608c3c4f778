// SPDX-License-Identifier: Apache-2.0
import { isAddress } from "ethers";
import { keySigner } from "../../chain/index.js";
import type { Chartseal } from "../../chartseal.js";
import type { Hex } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import type { RevocationReason } from "../../members/index.js";
import { addressArgument, dateArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { staffName } from "../enrol-staff.js";
import { openMember } from "../open-member.js";

export async function run(
  context: Context,
  values: { reason: RevocationReason; since?: string },
  [who = ""]: string[],
): Promise<void> {
  const since = values.since === undefined ? undefined : dateArgument(values.since, "--since");
  await using chartseal = await openMember(context, { role: "admin" });
  const account = isAddress(who) ? addressArgument(who, "<nameOrAddress>") : await accountOf(chartseal, who);
  const from = since ?? new Date((await chartseal.chain.time()) * 1000);
  await chartseal.members.revokeStaff(chartseal.writer("admin"), account, from, values.reason);
  const answer = { account, reason: values.reason, since: from.toISOString() };
  context.print(answer, `Revoked ${account} (${values.reason}), as of ${answer.since}.`);
}

async function accountOf(chartseal: Chartseal, name: string): Promise<Hex> {
  const { vault, members, memberId } = chartseal;
  if (vault.staffKeyNames().includes(name.normalize("NFC"))) {
    return keySigner(vault.staffKey(name)).address.toLowerCase() as Hex;
  }
  const staff = await members.staffOf(memberId);
  const found = staff.filter(({ account }) => staffName(chartseal, account) === name);
  if (found.length === 1) return found[0]!.account;
  throw new ChartsealError(
    "ERR_KEY_MISSING",
    found.length === 0 ? "no staff of this name" : "several accounts have this name",
    {
      hint: "`chartseal staff list` shows the accounts; name one by its address",
    },
  );
}

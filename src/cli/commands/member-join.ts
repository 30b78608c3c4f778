// SPDX-License-Identifier: Apache-2.0
import { stat } from "node:fs/promises";
import type { Chartseal } from "../../chartseal.js";
import { ChartsealError } from "../../errors.js";
import type { MemberInfo } from "../../members/index.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { readText, writeWhole } from "../private-file.js";

export async function run(context: Context): Promise<void> {
  await using chartseal = await openMember(context, { role: "admin" });
  const member = await ownMember(chartseal);
  const memberId = member.id;
  const { path, member: configured } = chartseal.config;
  if (configured.id !== undefined && configured.id !== memberId) {
    throw new ChartsealError(
      "ERR_CONFIG_INVALID",
      `${path} says member ${configured.id}, the chain says ${memberId}`,
      {
        values: { path, configured: configured.id, memberId },
        hint: "does the deployment file belong to another consortium?",
      },
    );
  }
  if (configured.id === undefined) await writeId(path, memberId);
  const { members, vault } = chartseal;
  const keyEpoch =
    member.keyEpoch > 0
      ? member.keyEpoch
      : await members.publishKey(chartseal.writer("admin"), memberId, vault);
  context.print({ memberId, keyEpoch }, `Joined as member ${memberId}, encryption key epoch ${keyEpoch}.`);
}

/** A member that was removed keeps its admin: the newest counts. */
async function ownMember(chartseal: Chartseal): Promise<MemberInfo> {
  const admin = chartseal.signer("admin").address.toLowerCase();
  const own = (await chartseal.members.list()).filter(
    (member) => member.admin === admin && !member.suspension.includes("REMOVED"),
  );
  const member = own.at(-1);
  if (member !== undefined) return member;
  throw new ChartsealError("ERR_CHAIN_REFUSED", `no member of the consortium has the admin ${admin}`, {
    values: { admin },
    hint: `governance runs: chartseal member admit --admin ${admin} --name '${chartseal.config.member.name}'`,
  });
}

/** Changes nothing else in the file, and keeps its mode. */
async function writeId(path: string, id: number): Promise<void> {
  const file = JSON.parse(await readText(path)) as { member: { id?: number; name: string } };
  file.member = { id, name: file.member.name };
  await writeWhole(path, `${JSON.stringify(file, null, 2)}\n`, (await stat(path)).mode & 0o777);
}

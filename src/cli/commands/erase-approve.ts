// SPDX-License-Identifier: Apache-2.0
import { signAs } from "../../consent/index.js";
import { ChartsealError } from "../../errors.js";
import type { Context } from "../context.js";
import { readErasureAct } from "../erasure-act.js";
import { openMember } from "../open-member.js";

export async function run(context: Context, _values: unknown, [path = ""]: string[]): Promise<void> {
  await using chartseal = await openMember(context, { role: "reviewer" });
  const act = await readErasureAct(chartseal, path);
  const { memberId } = act.typedData.message;
  if (act.ground !== "reviewer" || memberId === chartseal.memberId) {
    throw new ChartsealError("ERR_USAGE", `${path} does not ask a reviewer of this member`, {
      values: { path, ground: act.ground },
      hint: "a reviewer approves what another member prepared with --ground reviewer",
    });
  }
  const signer = chartseal.signer("reviewer");
  const signature = await signAs(signer, act.typedData);
  const answer = { memberId, index: act.index, account: signer.address, signature };
  context.print(answer, `--account ${signer.address} --signature ${signature}`);
}

// SPDX-License-Identifier: Apache-2.0
import { access } from "node:fs/promises";
import { Wallet } from "ethers";
import { deploy, keySigner } from "../../chain/index.js";
import { ChartsealError } from "../../errors.js";
import { addressArgument, wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { writeNew } from "../private-file.js";

export async function run(
  context: Context,
  values: { chain: string; governance: string; waitingTime?: string; out: string },
): Promise<void> {
  const governance = addressArgument(values.governance, "--governance");
  await expectAbsent(values.out); // before anything is on chain
  const deployment = await deploy({
    url: values.chain,
    deployer: keySigner(Wallet.createRandom().privateKey),
    governance,
    ...(values.waitingTime === undefined
      ? {}
      : { waitingTime: wholeNumber(values.waitingTime, "--waiting-time") }),
    onProgress: ({ contract, address }) => context.note(`${contract} at ${address}`),
  });
  await writeNew(values.out, `${JSON.stringify(deployment, null, 2)}\n`, 0o644);
  context.print(
    deployment,
    `Deployed on chain ${deployment.chainId}. Give every member a copy of ${values.out}.`,
  );
}

async function expectAbsent(path: string): Promise<void> {
  const found = await access(path).then(
    () => true,
    () => false,
  );
  if (!found) return;
  throw new ChartsealError("ERR_USAGE", `${path} exists already and is never overwritten`, {
    values: { path },
    hint: "a second deployment is another consortium: choose another name",
  });
}

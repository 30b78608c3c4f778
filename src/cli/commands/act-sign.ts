// SPDX-License-Identifier: Apache-2.0
import { addSignature, signAct, type ActFile } from "../../acts/index.js";
import { keySigner } from "../../chain/index.js";
import { accountSigner } from "../../consent/index.js";
import type { Hex } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { deploymentOf, printAct, readAct, replaceAct } from "../act-file.js";
import { hexArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { requireOwnVault } from "../emergency.js";
import { assertionArgument } from "../key-argument.js";
import { keyFileSigner } from "../key-file.js";
import { openMember, openNode } from "../open-member.js";

interface Values {
  signerKey?: string;
  assertion?: string;
  signature?: string;
  deployment?: string;
}

export async function run(context: Context, values: Values, [path = ""]: string[]): Promise<void> {
  expectOneKey(context, values);
  const file = await readAct(path);
  const signed = await signedWith(context, file, values);
  await replaceAct(path, signed);
  printAct(context, path, signed, await deploymentOf(context, values.deployment));
}

function expectOneKey(context: Context, { signerKey, assertion, signature, deployment }: Values): void {
  const given = [signerKey, assertion, signature, context.globals.as].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new ChartsealError("ERR_USAGE", "give one of --signer-key, --assertion, --signature, --as", {
      hint: "a key file, what a passkey or wallet signed elsewhere, or the name of a key in this member's vault",
    });
  }
  if (deployment !== undefined && signerKey === undefined) {
    throw new ChartsealError(
      "ERR_USAGE",
      "--deployment goes with --signer-key; all else needs chartseal.json",
    );
  }
}

async function signedWith(context: Context, file: ActFile, values: Values): Promise<ActFile> {
  if (values.signerKey !== undefined) {
    const signer = await keyFileSigner(values.signerKey);
    return await signAct(file, await deploymentOf(context, values.deployment), signer);
  }
  if (context.globals.as !== undefined) {
    await using chartseal = await openMember(context, { chain: "unused" });
    requireOwnVault(chartseal.vault, file.act);
    const staff = keySigner(chartseal.vault.staffKey(context.globals.as));
    return await signAct(file, chartseal.chain.deployment, accountSigner(staff));
  }
  using node = await openNode(context);
  return await addSignature(file, node.chain, await signatureOf(values));
}

async function signatureOf({ assertion, signature }: Values): Promise<Hex> {
  return assertion === undefined
    ? hexArgument(signature!, "--signature")
    : await assertionArgument(assertion);
}

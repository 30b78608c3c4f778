// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";

interface Values {
  to: string;
  every?: string;
  once?: boolean;
}

export async function run(context: Context, values: Values): Promise<void> {
  const seconds = values.every === undefined ? 30 : wholeNumber(values.every, "--every", 1);
  const folder = resolve(values.to);
  await using chartseal = await openMember(context, { chain: "unused" });
  const signal = context.io.interruption();
  do {
    await chartseal.copyVault(folder);
    context.print({ event: "copied", folder }, `Copied to ${folder}`);
    if (values.once === true) return;
    await setTimeout(seconds * 1_000, undefined, { signal }).catch(() => {});
  } while (!signal.aborted);
}

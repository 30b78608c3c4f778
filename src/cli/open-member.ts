// SPDX-License-Identifier: Apache-2.0
import { Chain } from "../chain/index.js";
import type { Acting } from "../acting.js";
import { Chartseal } from "../chartseal.js";
import { loadConfig, type Config } from "../config.js";
import { ChartsealError } from "../errors.js";
import type { Unlock } from "../vault/index.js";
import type { Context } from "./context.js";

export interface OpenMember {
  /** The role that `--as` names a key for. */
  role?: keyof Acting;
  /**
   * "required": a node that does not answer fails the command, before the passphrase is asked for. "expected": it
   * may be down, but must not be another chain's. "unused": it is not asked.
   */
  chain?: "required" | "expected" | "unused";
  /** Default: as the command's options say. */
  unlock?: Unlock;
}

/** This member, unlocked. */
export async function openMember(
  context: Context,
  { role, chain = "required", unlock }: OpenMember = {},
): Promise<Chartseal> {
  const { config, as } = context.globals;
  if (chain !== "unused") await checkNode(await loadConfig(config), chain === "required");
  return await Chartseal.open(config, {
    unlock: unlock ?? (await context.unlock()),
    as: role === undefined || as === undefined ? {} : { [role]: as },
  });
}

/** What needs no vault: the configuration, and the chain through the member's own node. */
export async function openNode(context: Context): Promise<{ config: Config; chain: Chain } & Disposable> {
  const config = await loadConfig(context.globals.config);
  const chain = Chain.open(config.chain);
  try {
    await chain.check();
  } catch (error) {
    chain[Symbol.dispose]();
    throw error;
  }
  return { config, chain, [Symbol.dispose]: () => chain[Symbol.dispose]() };
}

async function checkNode(config: Config, required: boolean): Promise<void> {
  using chain = Chain.open(config.chain);
  try {
    await chain.check();
  } catch (error) {
    const down = error instanceof ChartsealError && error.code === "ERR_RPC_UNAVAILABLE";
    if (required || !down) throw error;
  }
}

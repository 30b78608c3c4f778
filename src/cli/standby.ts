// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { ReleaseAgentOptions } from "../access/index.js";
import type { Chartseal } from "../chartseal.js";
import { Journal } from "../records/index.js";
import { Vault, type Unlock } from "../vault/index.js";

/** Asks for the passphrase once: a standby opens each new copy, and its own vault, with the same. */
export function rememberedUnlock(unlock: Unlock): Unlock & Disposable {
  let known: Buffer | undefined;
  const remembered = async (purpose: Parameters<Unlock>[0]) => {
    known ??= Buffer.from(await unlock(purpose));
    return Uint8Array.from(known);
  };
  return Object.assign(remembered, { [Symbol.dispose]: () => known?.fill(0) });
}

/** What a standby release agent needs besides the copies that chartseal.json names. */
export async function openStandby(
  { config }: Pick<Chartseal, "config">,
  stateFile: string,
  unlock: Unlock,
): Promise<NonNullable<ReleaseAgentOptions["standby"]> & Disposable> {
  const path = resolve(stateFile);
  if (!existsSync(path)) await Vault.create(path, unlock);
  const state = await Vault.open(path, unlock);
  const open = async () => {
    const vault = await Vault.open(config.vault, unlock);
    return { vault, journal: Journal.open(config.journal, vault) };
  };
  return { state, path: config.vault, open, [Symbol.dispose]: () => state[Symbol.dispose]() };
}

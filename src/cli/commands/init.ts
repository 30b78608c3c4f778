// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Wallet } from "ethers";
import { loadDeployment, type ConfigFile } from "../../config.js";
import type { Hex } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { storeSchema } from "../../storage/index.js";
import { Vault, type Unlock } from "../../vault/index.js";
import type { Context } from "../context.js";
import { makeFolder, makeShared, writeNew } from "../private-file.js";

export async function run(
  context: Context,
  values: { name: string; chain: string; deployment: string; store?: string; exchange?: string },
  [dir = "."]: string[],
): Promise<void> {
  const folder = resolve(dir);
  const config = join(folder, "chartseal.json");
  if (existsSync(config)) {
    throw new ChartsealError("ERR_CONFIG_INVALID", `${config} exists already: this member was made before`, {
      values: { path: config },
      hint: "use it as it is, or choose another folder",
    });
  }
  if (!URL.canParse(values.chain) || !/^https?:/.test(values.chain)) {
    throw new ChartsealError("ERR_USAGE", `--chain is not an http or https URL: ${values.chain}`);
  }
  const at = (path: string) => relative(folder, resolve(path)) || ".";
  const store = values.store === undefined ? "store" : storeOf(values.store, at);
  // Governance makes its folder first, for its admin's address is what the contracts are deployed for.
  if (existsSync(values.deployment)) await loadDeployment(values.deployment);
  else context.note(`${values.deployment} is not there yet: put the consortium's deployment file there.`);
  const admin = Wallet.createRandom();
  await makeFolder(folder);
  await makeVault(join(folder, "vault.db"), await context.unlock(), admin.privateKey as Hex);
  const exchange = values.exchange === undefined ? "exchange" : at(values.exchange);
  const file: ConfigFile = {
    format: 1,
    chain: { url: values.chain, deployment: at(values.deployment) },
    member: { name: values.name },
    vault: "vault.db",
    journal: "journal.db",
    store,
    exchange,
  };
  await makeShared(resolve(folder, exchange));
  await writeNew(config, `${JSON.stringify(file, null, 2)}\n`);
  const address = admin.address.toLowerCase();
  const next = "Next: governance admits this account, then `chartseal member join`.";
  context.print({ config, admin: address }, `Made ${config}\nAdmin account: ${address}\n${next}`);
}

/** A URL is the RPC of a Kubo node, anything else a folder. */
function storeOf(text: string, at: (path: string) => string): NonNullable<ConfigFile["store"]> {
  if (!/^https?:/i.test(text)) return at(text);
  const store = { kubo: { rpc: text } };
  const [issue] = storeSchema.safeParse(store).error?.issues ?? [];
  if (issue === undefined) return store;
  // Without the URL: it may hold a password.
  throw new ChartsealError("ERR_USAGE", `--store: ${issue.message}`, {
    hint: "give a folder, or a node's RPC such as http://127.0.0.1:5001",
  });
}

/** The passphrase is asked for once, though the vault is made and then opened. */
async function makeVault(path: string, unlock: Unlock, adminKey: Hex): Promise<void> {
  let chosen: Buffer | undefined;
  const once: Unlock = async (purpose) => {
    chosen ??= Buffer.from(await unlock(purpose));
    return Uint8Array.from(chosen);
  };
  try {
    await Vault.create(path, once);
    using vault = await Vault.open(path, once);
    vault.putStaffKey("admin", adminKey);
  } finally {
    chosen?.fill(0);
  }
}

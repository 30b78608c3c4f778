// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import type { ExchangeConfig } from "../config.js";
import { ChartsealError } from "../errors.js";
import type { ClientTls } from "./agent-call.js";
import type { Exchange } from "./exchange.js";
import { FolderExchange } from "./folder-exchange.js";
import { HttpExchange } from "./http-exchange.js";

/**
 * The Exchange that chartseal.json describes, for a member: what it sends itself stays in its folder.
 * @throws ERR_CONFIG_INVALID when a PEM file cannot be read
 */
export async function openExchange(
  { folder, agents: all, tls }: ExchangeConfig,
  memberId: number | undefined,
): Promise<Exchange> {
  const otherwise = new FolderExchange(folder);
  const agents = new Map([...all].filter(([id]) => id !== memberId));
  if (agents.size === 0) return otherwise;
  return new HttpExchange({ agents, tls: await readTls(tls), otherwise });
}

/** @throws ERR_CONFIG_INVALID when a PEM file cannot be read */
export async function readTls(paths: ExchangeConfig["tls"]): Promise<ClientTls> {
  const read = Object.entries(paths).map(async ([name, path]) => {
    try {
      return [name, await readFile(path, "utf8")] as const;
    } catch (cause) {
      throw new ChartsealError("ERR_CONFIG_INVALID", `${path} cannot be read`, {
        values: { path, field: `exchange.tls.${name}` },
        cause,
      });
    }
  });
  return Object.fromEntries(await Promise.all(read));
}

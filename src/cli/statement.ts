// SPDX-License-Identifier: Apache-2.0
import { statementName, type Statement } from "../access/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import { readText } from "./private-file.js";

/** The text that `--reason-file` or `--statement-file` names: not an argument, for it tells of a patient. */
export async function statementText(path: string, option: string): Promise<string> {
  const text = (await readText(path)).trim();
  if (text !== "") return text;
  throw new ChartsealError("ERR_USAGE", `${option} ${path} says nothing`, { values: { option, path } });
}

/** Keeps what a digest on chain stands for, encrypted. */
export function keepStatement(vault: Vault, windowId: Hex, { salt, digest }: Statement, text: string): void {
  vault.setSecret(statementName(windowId, digest), Buffer.from(JSON.stringify({ salt, text })));
}

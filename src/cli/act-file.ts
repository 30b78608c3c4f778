// SPDX-License-Identifier: Apache-2.0
import { parseActFile, type ActFile } from "../acts/index.js";
import type { Deployment } from "../chain/index.js";
import { loadConfig, loadDeployment } from "../config.js";
import type { Context } from "./context.js";
import { actRows } from "./act-words.js";
import { readText, writeNew, writeWhole } from "./private-file.js";

/** @throws ERR_USAGE when it cannot be read, ERR_ACT_INVALID, ERR_FORMAT_UNSUPPORTED */
export async function readAct(path: string): Promise<ActFile> {
  return parseActFile(await readText(path), path);
}

/** Puts a signed act in the place of the one that was read. */
export async function replaceAct(path: string, file: ActFile): Promise<void> {
  await writeWhole(path, `${JSON.stringify(file, null, 2)}\n`);
}

/** Writes a new act, and says what it is and who must sign it. Never in the place of another file. */
export async function handOut(
  context: Context,
  path: string,
  file: ActFile,
  deployment: Deployment,
): Promise<void> {
  await writeNew(path, `${JSON.stringify(file, null, 2)}\n`);
  printAct(context, path, file, deployment);
}

export function printAct(context: Context, path: string, file: ActFile, deployment: Deployment): void {
  const { json, text } = actRows(file, deployment);
  context.print({ file: path, ...json }, text);
}

/** Of `--deployment`, else of chartseal.json: who only signs needs neither vault nor node. */
export async function deploymentOf(context: Context, path: string | undefined): Promise<Deployment> {
  if (path !== undefined) return await loadDeployment(path);
  return (await loadConfig(context.globals.config)).chain.deployment;
}

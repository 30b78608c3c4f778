// SPDX-License-Identifier: Apache-2.0
import { deploymentOf, printAct, readAct } from "../act-file.js";
import type { Context } from "../context.js";

export async function run(
  context: Context,
  values: { deployment?: string },
  [path = ""]: string[],
): Promise<void> {
  const file = await readAct(path);
  printAct(context, path, file, await deploymentOf(context, values.deployment));
}

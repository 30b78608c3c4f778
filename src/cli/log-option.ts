// SPDX-License-Identifier: Apache-2.0
import type { EventLog, LogLevel } from "../monitor/index.js";
import type { Context } from "./context.js";
import { option, type OptionSpec } from "./spec.js";

/** As src/monitor knows them; written out, so that a command line is built without loading it. */
const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

export interface LogValues {
  log?: string;
  logLevel?: LogLevel;
}

/** For commands that run long or unattended. */
export const LOG_OPTIONS: OptionSpec[] = [
  option(
    "--log <file>",
    "add JSON lines about what happens, without any patient's data; - for standard error",
  ),
  { ...option("--log-level <level>", "least that is logged; default info"), choices: LEVELS },
];

/** The log that the command line asks for; undefined for none. @throws ERR_USAGE */
export async function openLog(
  { io }: Context,
  { log, logLevel }: LogValues,
  process: string,
): Promise<EventLog | undefined> {
  if (log === undefined) return undefined;
  const { openEventLog } = await import("../monitor/index.js");
  const to = log === "-" ? { write: (line: string) => io.stderr.write(line) } : log;
  return await openEventLog({ to, process, ...(logLevel === undefined ? {} : { level: logLevel }) });
}

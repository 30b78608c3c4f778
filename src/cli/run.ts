// SPDX-License-Identifier: Apache-2.0
import { CommanderError } from "commander";
import { ChartsealError } from "../errors.js";
import { ExitCode } from "./context.js";
import type { Io } from "./io.js";
import { buildProgram } from "./program.js";
import { reportError } from "./report-error.js";

/**
 * Runs one command line.
 * @param argv without the program's own name
 * @returns the exit code: 0 done, 1 refused or failed verification, 2 wrong usage, 3 partly done
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const json = argv.includes("--json");
  let exitCode: number = ExitCode.DONE;
  const program = buildProgram(io, (code) => (exitCode = code));
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, json, io.stderr);
    if (error.exitCode === 0) return ExitCode.DONE; // help or version was asked for
    if (error.code === "commander.help") return ExitCode.USAGE; // no command was given, and help was shown
    return reportError(usageError(error), json, io.stderr);
  }
}

function usageError({ message }: CommanderError): ChartsealError {
  const [first = "", suggestion] = message.replace(/^error: /, "").split("\n");
  return new ChartsealError("ERR_USAGE", first, {
    hint: suggestion === undefined ? "--help shows how it is used" : suggestion.replace(/^\(|\)$/g, ""),
  });
}

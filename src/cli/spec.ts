// SPDX-License-Identifier: Apache-2.0
import type { Context } from "./context.js";

/** What a command is handed: the values of its options by camel-cased name. */
export type Values = Record<string, unknown>;

/** A command's code, loaded when it is used, for `chartseal` starts often and the chain's library is large. */
export interface CommandModule {
  run(context: Context, values: never, args: string[]): Promise<number> | Promise<void>;
}

export interface OptionSpec {
  /** As Commander takes it: `--grant <termsHash>`; `...` at the end for one that may be repeated. */
  flags: string;
  description: string;
  required?: boolean;
  choices?: readonly string[];
}

export interface CommandSpec {
  /** `patient enrol` stands below `patient`; then the arguments: `<path>`, `[member]`. */
  name: string;
  args?: { name: string; description: string }[];
  summary: string;
  /** More than the summary says. */
  details?: string;
  options?: OptionSpec[];
  /** Command lines without the leading `chartseal `. */
  examples: string[];
  load: () => Promise<CommandModule>;
}

export function option(flags: string, description: string): OptionSpec {
  return { flags, description };
}

export function required(flags: string, description: string): OptionSpec {
  return { flags, description, required: true };
}

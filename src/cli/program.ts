// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { Context } from "./context.js";
import type { Io } from "./io.js";
import type { CommandSpec, OptionSpec } from "./spec.js";
import { ACTS } from "./usage/acts.js";
import { CONSORTIUM } from "./usage/consortium.js";
import { EMERGENCIES } from "./usage/emergencies.js";
import { EVIDENCE } from "./usage/evidence.js";
import { LIFE } from "./usage/life.js";
import { OPERATION } from "./usage/operation.js";
import { PATIENTS } from "./usage/patients.js";
import { RECORDS } from "./usage/records.js";
import { SHARING } from "./usage/sharing.js";
import { STORE } from "./usage/store.js";

const GROUPS = {
  Consortium: CONSORTIUM,
  Patients: PATIENTS,
  Records: RECORDS,
  "A record's life": LIFE,
  Store: STORE,
  Sharing: SHARING,
  "Several people": ACTS,
  Emergencies: EMERGENCIES,
  Evidence: EVIDENCE,
  Operation: OPERATION,
} as const;

/** What stands above commands of two words. */
const FAMILIES: Readonly<Record<string, string>> = {
  member: "admit, join and list the consortium's members",
  staff: "enrol and revoke a member's staff",
  hold: "keep records as they are: legal hold (封存)",
  patient: "enrol a member's patients, and say who signs for them",
  act: "show, sign and relay what several people decide together",
  change: "what needs two sides and time: a lost key, guardians by a court, incapacity, death",
  witness: "consent on paper, attested by two persons of the staff",
  order: "orders of a court or of public health",
  store: "audit, repair and clear the store of sealed records; bodies in and out as CAR files",
  retention: "show which records need not be kept any longer",
  review: "account for emergencies: justify, review, flag",
};

/** What every command is put together with. */
interface Assembly {
  program: Command;
  io: Io;
  onDone: (exitCode: number) => void;
  families: Map<string, Command>;
}

/** The whole command line. `onDone` hears the exit code of the command that ran. */
export function buildProgram(io: Io, onDone: (exitCode: number) => void): Command {
  const program = new Command("chartseal")
    .description("Share patients' records between hospitals: sealed, consented, logged, and provable.")
    .option("--config <file>", "this member's configuration", "./chartseal.json")
    .option("--json", "answer in JSON; errors too, on standard error")
    .option("--passphrase-file <file>", "read the vault's passphrase from a file that only you may read")
    .option("--passphrase-fd <n>", "read the vault's passphrase from an open file descriptor")
    .option("--as <name>", "act with this key of the vault; default: the role's own name")
    .version(version(), "-V, --version", "show the version")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 refused or failed verification, 2 wrong usage, 3 partly done.",
    );
  outputOf(program, io);
  const assembly = { program, io, onDone, families: new Map<string, Command>() };
  for (const [group, specs] of Object.entries(GROUPS)) {
    for (const spec of specs) addCommand(assembly, group, spec);
  }
  return program;
}

function addCommand(assembly: Assembly, group: string, spec: CommandSpec): void {
  const { program, io, onDone } = assembly;
  const words = spec.name.split(" ");
  const parent = words.length === 1 ? program : familyOf(assembly, group, words[0]!);
  const command = parent.command(words.at(-1)!).summary(spec.summary);
  command.description([sentence(spec.summary), spec.details].filter(Boolean).join("\n"));
  if (words.length === 1) command.helpGroup(`${group}:`);
  outputOf(command, io);
  command.configureHelp({ showGlobalOptions: true });
  for (const { name, description } of spec.args ?? []) command.argument(name, description);
  for (const option of spec.options ?? []) command.addOption(optionOf(option));
  command.addHelpText("after", examplesOf(spec));
  command.action(async () => {
    const context = new Context(io, program.opts());
    const module = await spec.load();
    onDone((await module.run(context, command.opts(), command.args)) ?? 0);
  });
}

function examplesOf({ examples }: CommandSpec): string {
  const heading = examples.length === 1 ? "Example" : "Examples";
  return `\n${heading}:\n${examples.map((example) => `  chartseal ${example}`).join("\n")}`;
}

function familyOf({ program, io, families }: Assembly, group: string, name: string): Command {
  const known = families.get(name);
  if (known !== undefined) return known;
  const family = program.command(name).summary(FAMILIES[name]!).description(sentence(FAMILIES[name]!));
  family.helpGroup(`${group}:`);
  outputOf(family, io);
  families.set(name, family);
  return family;
}

function optionOf({ flags, description, required, choices }: OptionSpec): Option {
  const repeatable = flags.endsWith("...");
  const option = new Option(
    repeatable ? flags.slice(0, -3) : flags,
    repeatable ? `${description} (repeatable)` : description,
  );
  if (required === true) option.makeOptionMandatory();
  if (choices !== undefined) option.choices([...choices]);
  // Not Commander's own variadic, which would swallow the arguments after it.
  if (repeatable)
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  return option;
}

function outputOf(command: Command, io: Io): void {
  command.exitOverride();
  command.showSuggestionAfterError(true);
  command.configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void io.stderr.write(text),
    // Errors are reported by `run`, all in one shape.
    outputError: () => {},
  });
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** From the nearest package.json above: the built program lies deeper than its source. */
function version(): string {
  for (let folder = new URL(".", import.meta.url); ; folder = new URL("..", folder)) {
    try {
      return (JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as { version: string })
        .version;
    } catch (error) {
      if (folder.pathname === "/") throw error;
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import { option, required, type CommandSpec } from "../spec.js";

const WINDOW = [{ name: "<window>", description: "as `chartseal review list` shows it" }];
const STATEMENT = required("--statement-file <file>", "the statement; its salted digest goes on chain");

/** Reading without consent in an emergency, and accounting for it. */
export const EMERGENCIES: CommandSpec[] = [
  {
    name: "break-glass",
    summary: "open a window on a patient without his consent, together with a colleague",
    details:
      "Both clinicians must be past their waiting time. The reason stays in the vault; a salted digest goes on chain.",
    options: [
      required("--patient <patientId>", "0x patient id at his custodian"),
      required("--reason-file <file>", "why: a text file, for an argument can be seen by others"),
      required("--colleague <name>", "name, in the vault, of the colleague's key"),
      required("--out <file>", "write the ticket here, for `chartseal request` and `open`"),
    ],
    examples: [
      "break-glass --patient 0x5e1f... --reason-file reason.txt --colleague dr-li --out emergency.json",
    ],
    load: () => import("../commands/break-glass.js"),
  },
  {
    name: "review list",
    summary: "list emergencies that wait for this member, as reader or as custodian",
    options: [
      option("--patient <patientId>", "only of this patient"),
      option("--all", "also those of which nothing is owed"),
    ],
    examples: ["review list"],
    load: () => import("../commands/review-list.js"),
  },
  {
    name: "review justify",
    args: WINDOW,
    summary: "account for an emergency of this member's clinician, as its privacy officer",
    options: [STATEMENT],
    examples: ["review justify 0x91c4... --statement-file statement.txt"],
    load: () => import("../commands/review-justify.js"),
  },
  {
    name: "review decide",
    args: WINDOW,
    summary: "review an emergency about this member's patient, as its privacy officer",
    options: [
      {
        ...required("--verdict <verdict>", "what the review found"),
        choices: ["APPROPRIATE", "INAPPROPRIATE"],
      },
      STATEMENT,
    ],
    examples: ["review decide 0x91c4... --verdict APPROPRIATE --statement-file review.txt"],
    load: () => import("../commands/review-decide.js"),
  },
  {
    name: "review flag",
    args: WINDOW,
    summary: "flag an emergency whose justification is overdue",
    examples: ["review flag 0x91c4..."],
    load: () => import("../commands/review-flag.js"),
  },
];

// SPDX-License-Identifier: Apache-2.0
import { option, required, type CommandSpec } from "../spec.js";

const WINDOW = [{ name: "<window>", description: "as `chartseal review list` shows it" }];
const STATEMENT = required("--statement-file <file>", "the statement; its salted digest goes on chain");

/** Reading without consent in an emergency, and accounting for it. */
export const EMERGENCIES: CommandSpec[] = [
  {
    name: "break-glass",
    summary: "ask a colleague to open a window on a patient without his consent",
    details:
      "Writes an act, good for ten minutes. The colleague signs it with a key that is not in this vault: `chartseal act sign`,\non his own machine. `chartseal act relay --out FILE`, here, opens the window; both must be past their waiting time.\nThe reason stays in the vault; a salted digest goes on chain.\nIf relay ends before the ticket is written, relay the same act once more: no second window is opened. Without the\nchain, exit code 3 of relay: a record failed; relay once more for the rest.",
    options: [
      option("--patient <patientId>", "0x patient id at his custodian"),
      option("--card <text>", "the text of his emergency card, instead of --patient"),
      required("--reason-file <file>", "why: a text file, for an argument can be seen by others"),
      required("--act <file>", "write the act here, for the colleague to sign"),
      option("--chain-down", "no chain: relay reads at once, unchecked; the custodian files it late"),
      option("--colleague <account>", "with --chain-down: the colleague's account"),
      option("--custodian <member>", "member id of his custodian: with --chain-down and --patient"),
    ],
    examples: [
      "break-glass --patient 0x5e1f... --reason-file reason.txt --act emergency.act.json",
      "break-glass --chain-down --card CHARTSEAL:AAAQ... --colleague 0x19E7... --reason-file reason.txt --act emergency.act.json",
    ],
    load: () => import("../commands/break-glass.js"),
  },
  {
    name: "card",
    args: [
      {
        name: "<patient>",
        description: "patient id or system|value, in quotes, of a patient of this member",
      },
    ],
    summary: "make a patient's emergency card: who keeps his records, under which pseudonym",
    details:
      "It holds no name and no key. Whoever finds it learns that its owner is a patient of that member.",
    options: [option("--out <file>", "also write the code as SVG, for printing")],
    examples: ["card 0x5e1f... --out card.svg"],
    load: () => import("../commands/card.js"),
  },
  {
    name: "patient find",
    summary:
      "look for a patient without a card at the other members, by an identifier they do not get to see",
    details:
      "Logged on chain first, a few a day. A member that does not hold the identifier learns nothing of it.\nExit code 3: a member did not answer, or its answer does not hold; what the others found is shown all the same.",
    options: [
      required("--system <uri>", "what kind of identifier, as the custodians write it"),
      required("--value-file <file>", "the identifier: a text file, for an argument can be seen by others"),
      option("--custodian <members>", "only at these, by member id; default: all others"),
    ],
    examples: ["patient find --system https://id.example/national --value-file id.txt"],
    load: () => import("../commands/patient-find.js"),
  },
  {
    name: "review list",
    summary:
      "list emergencies that wait for this member: its own, its patients', and what others left overdue",
    options: [
      option("--patient <patientId>", "only of this patient"),
      option("--all", "also those of this member and of its patients of which nothing is owed"),
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

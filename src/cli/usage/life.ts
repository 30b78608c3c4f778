// SPDX-License-Identifier: Apache-2.0
import { option, type CommandSpec } from "../spec.js";

const DEVICE = [
  option("--signer-key <file>", "the private key of who signs for the patient (hex, mode 0600)"),
  option("--typed-data", "print what he is to sign (EIP-712) and relay nothing"),
  option("--signature <hex>", "relay what was signed"),
  option("--document <file>", "with --signature: what --typed-data printed"),
];

/** What becomes of records once they are in the log. */
export const LIFE: CommandSpec[] = [
  {
    name: "hold place",
    args: [
      { name: "[indices]", description: "entries of one patient in this member's log, such as 3,17-20" },
    ],
    summary: "put entries under legal hold (封存), together with the patient",
    details: "A held entry cannot be amended, retracted or erased. Held anew, a hold only grows longer.",
    options: [option("--until <date>", "last day of the hold, or an exact time"), ...DEVICE],
    examples: [
      "hold place 3,17-20 --until 2029-12-31 --signer-key patient.key",
      "hold place 3 --until 2029-12-31 --typed-data --json > hold.json",
      "hold place --document hold.json --signature 0x8f3a...",
    ],
    load: () => import("../commands/hold-place.js"),
  },
  {
    name: "hold lift",
    args: [{ name: "[indices]", description: "held entries of this member's log, such as 3,17-20" }],
    summary: "lift holds: with the patient before their end, by anyone after it",
    details:
      "Guardians or an estate sign for one who cannot. They may also turn to another member: its reviewer relays the\ndocument that --typed-data printed.",
    options: [option("--ended", "lift what is past its end: needs no signature"), ...DEVICE],
    examples: [
      "hold lift 3,17 --signer-key patient.key",
      "hold lift 3,17 --ended",
      "hold lift --document lift.json --signature 0x8f3a...",
    ],
    load: () => import("../commands/hold-lift.js"),
  },
  {
    name: "hold list",
    summary: "list this member's entries on hold, until when, and what has ended",
    examples: ["hold list"],
    load: () => import("../commands/hold-list.js"),
  },
];

// SPDX-License-Identifier: Apache-2.0
import { option, required, type CommandSpec } from "../spec.js";

const PATIENT = required("--patient <patient>", "0x patient id, or system|value");
const ACT = required("--act <file>", "write the act here, for those who must sign it");
const KEY_HELP = "0x account, or the file of a passkey's registration (PublicKeyCredential.toJSON())";
const GUARDIANS = [
  option("--guardian <key>...", `a guardian's key: ${KEY_HELP}`),
  option("--threshold <n>", "how many guardians must sign"),
  option("--until <date>", "the guardians' last day; of a child, the day before majority"),
];

/** A member's patients, and who signs for them. */
export const PATIENTS: CommandSpec[] = [
  {
    name: "patient enrol",
    summary: "enrol a patient: a pseudonym on chain, his identifiers in the vault",
    details:
      "A patient without a key and guardians consents on paper: `chartseal witness`. Arguments can be seen by\nothers of this machine: on a shared one give --identifier -. With --key or --guardian, their holders\nsign the act elsewhere; `chartseal act relay` enrols him then.",
    options: [
      required(
        "--identifier <identifier>...",
        "system|value, as records name him; - reads them from standard input, a line each",
      ),
      option("--label <text>", "for the hospital's staff; stays in the vault"),
      option("--signer-key <file>", "the patient's private key (hex, mode 0600): stands for his device"),
      option("--key <key>", `his key, which he has elsewhere: ${KEY_HELP}`),
      ...GUARDIANS,
      option("--act <file>", "with --key or --guardian: write the act here"),
    ],
    examples: [
      "patient enrol --identifier 'https://github.com/synthetichealth/synthea|2cd30bd6' --signer-key patient.key",
      "patient enrol --identifier - --signer-key patient.key <identifiers.txt",
      "patient enrol --identifier 'https://hospital.example/mrn|4711' --key passkey.json --act enrol.act.json",
      "patient enrol --identifier 'https://hospital.example/mrn|4712' --guardian 0x19E7... --guardian 0x5a44... --threshold 2 --until 2038-04-30 --act child.act.json",
    ],
    load: () => import("../commands/patient-enrol.js"),
  },
  {
    name: "patient administrative",
    summary: "make this member's own id, for resources that are nobody's record",
    examples: ["patient administrative"],
    load: () => import("../commands/patient-administrative.js"),
  },
  {
    name: "patient import",
    args: [{ name: "<file>", description: "CSV with the header system,value,label" }],
    summary: "enrol patients without a device from a CSV file; may be repeated",
    examples: ["patient import patients.csv"],
    load: () => import("../commands/patient-import.js"),
  },
  {
    name: "patient list",
    summary: "list this member's patients with their identifiers",
    examples: ["patient list"],
    load: () => import("../commands/patient-list.js"),
  },
  {
    name: "patient show",
    summary: "show who signs for a patient, and what change waits",
    options: [PATIENT],
    examples: ["patient show --patient 0x5e1f..."],
    load: () => import("../commands/patient-show.js"),
  },
  {
    name: "patient rotate-key",
    summary: "give a patient another key, on the signature of who signs for him and of the new key",
    options: [PATIENT, required("--key <key>", `the new key: ${KEY_HELP}`), ACT],
    examples: ["patient rotate-key --patient 0x5e1f... --key phone.json --act rotate.act.json"],
    load: () => import("../commands/patient-rotate-key.js"),
  },
  {
    name: "patient guardians",
    summary: "replace a patient's guardians; without --guardian they end",
    options: [PATIENT, ...GUARDIANS, ACT],
    examples: [
      "patient guardians --patient 0x5e1f... --guardian 0x19E7... --guardian 0x5a44... --threshold 1 --until 2038-04-30 --act guardians.act.json",
      "patient guardians --patient 0x5e1f... --act guardians.act.json",
    ],
    load: () => import("../commands/patient-guardians.js"),
  },
  {
    name: "patient delegate",
    summary: "let another person give and end a patient's grants until a day",
    options: [
      PATIENT,
      required("--key <key>", `the delegate's key: ${KEY_HELP}`),
      option("--until <date>", "last day, or an exact time"),
      option("--end", "end the delegation now"),
      ACT,
    ],
    examples: [
      "patient delegate --patient 0x5e1f... --key 0x19E7... --until 2027-01-31 --act delegate.act.json",
    ],
    load: () => import("../commands/patient-delegate.js"),
  },
  {
    name: "patient request",
    summary: "request a patient's own records (PATRQT), on the signature of who signs for him",
    details:
      "Writes the request as an act, to be signed on his device: `chartseal act sign`. `chartseal act relay --out DIR`, on\nthis machine, logs it and opens the records for him. No directive of his stands against it.",
    options: [
      PATIENT,
      option("--compartment <name>...", "only these compartments; default all"),
      option("--recorded-from <date>", "only records from this day on"),
      option("--recorded-to <date>", "only records up to this day"),
      ACT,
    ],
    examples: [
      "patient request --patient 0x5e1f... --act own.act.json",
      "patient request --patient 'https://hospital.example/mrn|4711' --recorded-from 2026-01-01 --act own.act.json",
    ],
    load: () => import("../commands/patient-request.js"),
  },
];

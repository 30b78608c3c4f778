// SPDX-License-Identifier: Apache-2.0
import { option, required, type CommandSpec } from "../spec.js";

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
  {
    name: "erase",
    args: [{ name: "[indices]", description: "records in this member's log, such as 3,17-20" }],
    summary:
      "erase records for good: key, body, labels and stored releases; the log still shows that they existed",
    details:
      "Anchors a certificate that names what cannot be recalled: released copies and unexpired backups.\nInterrupted, the same command again finishes it. Held entries are refused.",
    options: [
      {
        ...option("--ground <ground>", "who wants it, or reviewer of another member, or retention's end"),
        choices: ["patient", "reviewer", "retention"],
      },
      ...DEVICE,
      option("--account <address>", "with a reviewer's --signature: his account"),
    ],
    examples: [
      "erase 17 --ground patient --signer-key patient.key",
      "erase 17 --ground reviewer --typed-data --json > erasure.json",
      "erase --document erasure.json --signature 0x8f3a... --account 0x71c4...",
      "erase 3,17-20 --ground retention",
    ],
    load: () => import("../commands/erase.js"),
  },
  {
    name: "erase-approve",
    args: [{ name: "<document>", description: "what the custodian's --typed-data printed" }],
    summary: "sign another member's erasure, as a reviewer",
    examples: ["erase-approve erasure.json"],
    load: () => import("../commands/erase-approve.js"),
  },
  {
    name: "backup",
    args: [{ name: "<dir>", description: "new folder for the copies of vault and journal" }],
    summary: "copy vault, journal and store while they are in use, without the keys that open records",
    details:
      "The key-encryption keys go to a file that is kept apart. After an erasure the next backup replaces them, so that\nolder backups no longer open anything: make one soon after. --bodies adds to a folder what it lacks of the store's\nbodies, each checked as it is copied: the same folder for all backups. Exit code 3: a body was missing or damaged.",
    options: [
      required("--keks <file>", "file of the key-encryption keys, always the same; in no other copy"),
      required("--expires <date>", "last day of the backup, after which it is to be destroyed"),
      option("--bodies <folder>", "folder for the bodies, always the same, not on the store's disk"),
    ],
    examples: [
      "backup /mnt/backup/2026-11-24 --keks /mnt/safe/keks.json --expires 2027-02-24 --bodies /mnt/backup/bodies",
    ],
    load: () => import("../commands/backup.js"),
  },
  {
    name: "restore",
    args: [{ name: "[dir]", description: "a backup; left out, only the store is filled again" }],
    summary:
      "put a backup in place, and repeat in it every erasure that the chain shows, before it gives a key",
    details:
      "Nothing is overwritten: a vault or journal in the way is moved away first. Interrupted, the same command goes on.",
    options: [
      option("--keks <file>", "the file of key-encryption keys; needed with a backup"),
      option("--bodies <folder>", "put back from here what the store lacks"),
    ],
    examples: [
      "restore /mnt/backup/2026-11-24 --keks /mnt/safe/keks.json --bodies /mnt/backup/bodies",
      "restore --bodies /mnt/backup/bodies",
    ],
    load: () => import("../commands/restore.js"),
  },
  {
    name: "export",
    args: [{ name: "<patient>", description: "0x patient id, or system|value" }],
    summary: "write everything that this member holds about a patient into one ZIP file, for himself",
    details:
      "Records with their exact bytes, also those not anchored yet, receipts, who he is here, the audit, a page to read it by,\nand what is needed to verify them offline. Not encrypted.",
    options: [
      required("--out <file>", "the archive; never overwritten"),
      { ...option("--language <language>", "of its index.html; default en"), choices: ["en", "zh"] },
    ],
    examples: [
      "export 'https://github.com/synthetichealth/synthea|2cd30bd6' --out records.zip",
      "export 0x5e1f... --language zh --out records.zip",
    ],
    load: () => import("../commands/export.js"),
  },
  {
    name: "patient merge",
    args: [
      { name: "<duplicate>", description: "0x patient id, or system|value, of the one enrolled twice" },
      { name: "<into>", description: "the one that stays" },
    ],
    summary: "take two enrolled patients for one person: in the vault only, nothing on chain says so",
    details:
      "Identifiers and new records go to the one that stays; records, grants and directives stay where they are.\nA grant or directive of the one does not hold for the other's records: the patient signs for each.",
    examples: ["patient merge 0x5e1f... 'https://github.com/synthetichealth/synthea|2cd30bd6'"],
    load: () => import("../commands/patient-merge.js"),
  },
  {
    name: "patient unmerge",
    args: [{ name: "<duplicate>", description: "0x patient id of the duplicate" }],
    summary: "take a merge back: the identifiers that came with it return, records stay where they are",
    examples: ["patient unmerge 0x5e1f..."],
    load: () => import("../commands/patient-unmerge.js"),
  },
  {
    name: "retention list",
    summary: "list records whose retention period is over; nothing is erased by itself",
    details:
      "The period is this member's (\"retention\" in chartseal.json, default 30 years) or the consortium's, whichever is\nlonger, from the day a record was recorded. `chartseal erase INDEX --ground retention` erases one.",
    examples: ["retention list"],
    load: () => import("../commands/retention-list.js"),
  },
];

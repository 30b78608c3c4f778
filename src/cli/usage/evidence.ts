// SPDX-License-Identifier: Apache-2.0
import { option, required, type CommandSpec } from "../spec.js";

/** What can be shown to somebody else. */
export const EVIDENCE: CommandSpec[] = [
  {
    name: "receipt",
    args: [{ name: "[index]", description: "index of an entry in this member's log" }],
    summary: "write evidence that entries stand in this member's log",
    options: [
      option("--patient <patient>", "all entries of a patient: 0x patient id, or system|value"),
      option("--roots", "instead, the roots of this member's batches, to pin and verify against offline"),
      option(
        "--out <path>",
        "file to write; a folder with --patient; default, for one receipt: standard output",
      ),
    ],
    examples: [
      "receipt 17 --out 17.json",
      "receipt --patient 'https://github.com/synthetichealth/synthea|2cd30bd6' --out receipts",
      "receipt --roots --out roots.json",
    ],
    load: () => import("../commands/receipt.js"),
  },
  {
    name: "verify",
    args: [{ name: "[path]", description: "a receipt, or a folder of receipts" }],
    summary: "verify receipts, a patient's archive, or a whole log; needs no vault",
    options: [
      option("--archive <file>", "verify what `chartseal export` wrote: every file, content and receipt"),
      option("--body <file>", "also compare a sealed body, as stored"),
      option("--roots <file>", "trust these roots instead of asking the member's node"),
      option("--offline", "ask nobody: says only whether a receipt agrees with itself"),
      option("--partial", "the folder need not hold all of a patient's receipts: name gaps, but do not fail"),
      option("--log [member]", "verify a member's whole log from chain and store; default this member's"),
    ],
    examples: [
      "verify receipts/",
      "verify 17.json --roots roots.json",
      "verify --archive records.zip --roots roots.json",
      "verify --log 1",
    ],
    load: () => import("../commands/verify.js"),
  },
  {
    name: "audit",
    summary: "show every disclosure of a patient's records, and whether the list is complete",
    options: [
      required("--patient <patient>", "0x patient id, or system|value"),
      { ...option("--format <format>", "default timeline"), choices: ["timeline", "csv", "fhir"] },
      { ...option("--language <language>", "of the timeline; default en"), choices: ["en", "zh"] },
      option("--out <file>", "default standard output"),
      option("--from <date>", "only from this day on"),
      option("--to <date>", "only up to this day"),
    ],
    examples: ["audit --patient 'https://github.com/synthetichealth/synthea|2cd30bd6' --language zh"],
    load: () => import("../commands/audit.js"),
  },
  {
    name: "doctor",
    summary: "check everything that a member needs, and say what to do",
    examples: ["doctor", "doctor --json"],
    load: () => import("../commands/doctor.js"),
  },
];

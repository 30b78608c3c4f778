// SPDX-License-Identifier: Apache-2.0
import { option, type CommandSpec } from "../spec.js";

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
    summary: "account for the disclosures of a patient, or to a clinician, or to and by a member",
    details:
      "Each patient's list is proven complete against the chain's heads. Without --patient, --clinician or --member: " +
      "this member. Names are shown of this member's own patients only.",
    options: [
      option("--patient <patient>", "0x patient id, or system|value"),
      option("--clinician <account>", "what this account read, of all patients"),
      option("--member <id>", "what this member's staff read, and what others read of its patients"),
      { ...option("--format <format>", "default timeline"), choices: ["timeline", "csv", "fhir", "html"] },
      {
        ...option("--view <view>", "only what a privacy officer looks for"),
        choices: ["open-emergencies", "bulk", "unusual-hours"],
      },
      option(
        "--verify <file>",
        "instead, hold a saved CSV, FHIR NDJSON or JSON of this question against the chain",
      ),
      { ...option("--language <language>", "default en"), choices: ["en", "zh"] },
      option("--time-zone <name>", "of local times, as Asia/Shanghai; default this machine's"),
      option("--out <file>", "default standard output"),
      option("--from <date>", "only from this day on"),
      option("--to <date>", "only up to this day"),
    ],
    examples: [
      "audit --patient 'https://github.com/synthetichealth/synthea|2cd30bd6' --language zh",
      "audit --patient 'https://hospital.example/mrn|4711' --format html --language zh --out report.html",
      "audit --member 2 --from 2027-01-01 --to 2027-03-31 --format csv --out quarter.csv",
      "audit --member 2 --from 2027-01-01 --to 2027-03-31 --verify quarter.csv",
      "audit --view unusual-hours --time-zone Asia/Shanghai",
    ],
    load: () => import("../commands/audit.js"),
  },
  {
    name: "doctor",
    summary: "check everything that a member needs, and say what to do",
    examples: ["doctor", "doctor --json"],
    load: () => import("../commands/doctor.js"),
  },
];

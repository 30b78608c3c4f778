// SPDX-License-Identifier: Apache-2.0
import { option, required, type CommandSpec } from "../spec.js";

const PATIENT = required("--patient <patient>", "0x patient id, or system|value");
const ACT = required("--act <file>", "write the act here, for those who must sign it");
const FILE = [{ name: "<file>", description: "an act" }];
const FORM = required("--form <file>", "the scanned form; sealed, and anchored in this member's log");
const DEPLOYMENT = option("--deployment <file>", "deployment.json, where there is no chartseal.json");
const KEY_HELP = "0x account, or the file of a passkey's registration";
const SCOPE = [
  required("--to <member>", "who may read: member id or name"),
  required("--until <date>", "last day, or an exact time"),
  option("--compartment <name>...", "only these compartments; default all"),
  option("--recorded-from <date>", "only records from this day on"),
  option("--recorded-to <date>", "only records up to this day"),
];
const PAIR =
  "The second person signs with `chartseal act sign`, the first sends it with `chartseal act relay`, both with the key\nthat --as names.";

/** What several people sign: an act is prepared, signed one after the other, and relayed. */
export const ACTS: CommandSpec[] = [
  {
    name: "act show",
    args: FILE,
    summary: "say what an act does, who must sign it and who has; with --json also what each has to sign",
    options: [DEPLOYMENT],
    examples: ["act show grant.act.json"],
    load: () => import("../commands/act-show.js"),
  },
  {
    name: "act sign",
    args: FILE,
    summary: "add one's signature to an act, in the file; hand it on then to who is next",
    details:
      "Look at it first: `chartseal act show`. With a key file it needs neither a node nor a vault. A staff member signs\nwith the key of the vault that --as names.",
    options: [
      option("--signer-key <file>", "private key (hex, mode 0600) of a patient, guardian or delegate"),
      option("--assertion <file>", "what a passkey answered on a web page: PublicKeyCredential.toJSON()"),
      option("--signature <hex>", "what another device signed"),
      DEPLOYMENT,
    ],
    examples: [
      "act sign grant.act.json --signer-key mother.key --deployment deployment.json",
      "act sign grant.act.json --assertion assertion.json",
      "act sign form.act.json --as dr-li",
    ],
    load: () => import("../commands/act-sign.js"),
  },
  {
    name: "act relay",
    args: FILE,
    summary:
      "send an act that all have signed; a grant's ticket goes to the reader, a patient's own records to a folder",
    options: [
      option(
        "--out <path>",
        "also write the ticket here; where records are opened at once, the folder for them",
      ),
    ],
    examples: ["act relay grant.act.json", "act relay own.act.json --out records"],
    load: () => import("../commands/act-relay.js"),
  },
  {
    name: "change propose",
    summary:
      "propose a change that waits and can be refused: a lost key, guardians by a court, incapacity, death",
    details:
      "The patient's guardians sign it, or a REVIEWER of another member. `chartseal change complete` lets it take effect\nafter the delay; so long after it again, nothing is taken that lets others see more.",
    options: [
      PATIENT,
      {
        ...required("--kind <kind>", "what changes"),
        choices: ["SIGNER", "GUARDIANS", "INCAPABLE", "CAPABLE", "DEAD"],
      },
      option("--key <key>...", `SIGNER: the new key; GUARDIANS: theirs; ${KEY_HELP}`),
      option("--threshold <n>", "GUARDIANS: how many of them must sign"),
      option("--until <date>", "GUARDIANS: their last day"),
      option(
        "--document <file>",
        "what justifies it: sealed, in this member's log; on chain stands a salted digest",
      ),
      option("--by-guardians", "the guardians sign, instead of another member's reviewer"),
      ACT,
    ],
    examples: [
      "change propose --patient 0x5e1f... --kind SIGNER --key phone.json --act recovery.act.json",
      "change propose --patient 0x5e1f... --kind DEAD --document certificate.pdf --act death.act.json",
    ],
    load: () => import("../commands/change-propose.js"),
  },
  {
    name: "change refuse",
    summary: "refuse the change that waits, on the signature of the patient's key or of his guardians",
    options: [PATIENT, ACT],
    examples: ["change refuse --patient 0x5e1f... --act refusal.act.json"],
    load: () => import("../commands/change-refuse.js"),
  },
  {
    name: "change withdraw",
    summary: "give up the change that waits, as the custodian",
    options: [PATIENT],
    examples: ["change withdraw --patient 0x5e1f..."],
    load: () => import("../commands/change-withdraw.js"),
  },
  {
    name: "change complete",
    summary: "let the change that waits take effect, once its delay is over",
    options: [PATIENT],
    examples: ["change complete --patient 0x5e1f..."],
    load: () => import("../commands/change-complete.js"),
  },
  {
    name: "witness grant",
    summary: "attest a grant on paper, of a patient for whom nobody can sign",
    details: PAIR,
    options: [PATIENT, ...SCOPE, required("--purpose <codes>", "comma-separated purposes of use"), FORM, ACT],
    examples: [
      "witness grant --patient 0x5e1f... --to 2 --purpose TREAT --until 2027-01-31 --form form.pdf --act form.act.json",
    ],
    load: () => import("../commands/witness-grant.js"),
  },
  {
    name: "witness revoke",
    summary: "attest the end of a grant on paper, of any patient",
    details: PAIR,
    options: [PATIENT, required("--grant <termsHash>", "terms hash"), FORM, ACT],
    examples: ["witness revoke --patient 0x5e1f... --grant 0x91c4... --form form.pdf --act form.act.json"],
    load: () => import("../commands/witness-revoke.js"),
  },
  {
    name: "witness deny",
    summary: "attest denials on paper, of any patient, beside those that stand",
    details: `${PAIR} A denial is taken back by who signs for the patient only: \`chartseal directive\`.`,
    options: [
      PATIENT,
      option("--deny-all", "nobody may read, whatever was granted"),
      option("--deny-emergency", "no emergency access"),
      option("--deny <name>...", "a compartment that nobody may read"),
      FORM,
      ACT,
    ],
    examples: ["witness deny --patient 0x5e1f... --deny-all --form form.pdf --act form.act.json"],
    load: () => import("../commands/witness-deny.js"),
  },
  {
    name: "order enter",
    summary:
      "enter a court's or public health's order, as a REVIEWER of the custodian with one of another member",
    details: `It stands above what the patient denied. ${PAIR}`,
    options: [PATIENT, ...SCOPE, required("--order <file>", "the scanned order; sealed and anchored"), ACT],
    examples: [
      "order enter --patient 0x5e1f... --to 2 --until 2027-01-31 --order order.pdf --act order.act.json",
    ],
    load: () => import("../commands/order-enter.js"),
  },
  {
    name: "order lift",
    summary: "end an order before its time, as a REVIEWER with one of another member",
    details: PAIR,
    options: [PATIENT, required("--grant <termsHash>", "the order's terms hash"), ACT],
    examples: ["order lift --patient 0x5e1f... --grant 0x91c4... --act lift.act.json"],
    load: () => import("../commands/order-lift.js"),
  },
];

// SPDX-License-Identifier: Apache-2.0
import { LOG_OPTIONS } from "../log-option.js";
import { option, required, type CommandSpec } from "../spec.js";

const PATIENT = required("--patient <patient>", "0x patient id, or system|value");
const DEVICE = [
  option("--signer-key <file>", "the patient's private key (hex, mode 0600): stands for his device"),
  option("--typed-data", "print what his device is to sign (EIP-712) and relay nothing"),
  option("--signature <hex>", "relay what his device signed"),
  option(
    "--act <file>",
    "write an act here, for guardians, a delegate or a passkey to sign: `chartseal act sign`",
  ),
];
const DELEGATE = option("--delegate <key>", "with --act: this delegate of his signs");
const GRANT = required(
  "--grant <grant>",
  "terms hash of a grant that came over the exchange, or a ticket file",
);
const PURPOSE = required("--purpose <code>", "purpose of use, such as TREAT");
const TIMEOUT = option("--timeout <seconds>", "that the custodian's agent has to answer; default 60");

/** Consent, and reading what it permits. */
export const SHARING: CommandSpec[] = [
  {
    name: "grant",
    summary: "let another member read a patient's records, on the patient's signature",
    details:
      "Prints the terms and sends the ticket to the grantee. For a device elsewhere: --typed-data prints what it is to\nsign; --terms with --signature relays it.",
    options: [
      option("--patient <patient>", "0x patient id, or system|value"),
      option("--to <member>", "who may read: member id or name"),
      option("--purpose <codes>", "comma-separated purposes of use, such as TREAT"),
      option("--until <date>", "last day, or an exact time"),
      option("--compartment <name>...", "only these compartments; default all"),
      option("--recorded-from <date>", "only records from this day on"),
      option("--recorded-to <date>", "only records up to this day"),
      ...DEVICE,
      DELEGATE,
      option("--terms <file>", "with --signature: what --typed-data printed"),
      option("--out <file>", "also write the ticket here"),
    ],
    examples: [
      "grant --patient 'https://github.com/synthetichealth/synthea|2cd30bd6' --to 2 --purpose TREAT --until 2027-01-31 --signer-key patient.key",
      "grant --patient 0x5e1f... --to 2 --purpose TREAT --until 2027-01-31 --typed-data --json > terms.json",
      "grant --terms terms.json --signature 0x8f3a...",
      "grant --patient 0x5e1f... --to 2 --purpose TREAT --until 2027-01-31 --act grant.act.json",
    ],
    load: () => import("../commands/grant.js"),
  },
  {
    name: "revoke",
    summary: "end a grant, at once and for good, on the patient's signature",
    options: [PATIENT, required("--grant <termsHash>", "terms hash"), ...DEVICE, DELEGATE],
    examples: [
      "revoke --patient 'https://github.com/synthetichealth/synthea|2cd30bd6' --grant 0x5e1f... --signer-key patient.key",
    ],
    load: () => import("../commands/revoke.js"),
  },
  {
    name: "directive",
    summary: "replace a patient's directive, on his signature; without options it denies nothing",
    options: [
      PATIENT,
      option("--deny-all", "nobody may read, whatever was granted"),
      option("--deny-emergency", "no emergency access"),
      option("--deny <name>...", "a compartment that nobody may read"),
      ...DEVICE,
      option("--document <file>", "with --signature: what --typed-data printed"),
    ],
    examples: [
      "directive --patient 'https://github.com/synthetichealth/synthea|2cd30bd6' --deny psychiatry --signer-key patient.key",
    ],
    load: () => import("../commands/directive.js"),
  },
  {
    name: "request",
    summary: "list what a grant shows, as one logged access",
    details: "The list is kept encrypted in the vault for `chartseal open`.",
    options: [GRANT, PURPOSE, TIMEOUT],
    examples: ["request --grant 0x5e1f... --purpose TREAT"],
    load: () => import("../commands/request.js"),
  },
  {
    name: "open",
    summary: "request records, as logged accesses, and write their exact source bytes",
    options: [
      GRANT,
      PURPOSE,
      option("--type <type>", "only records of this FHIR resource type"),
      option("--index <n,n>", "only these entries"),
      option("--chart", "everything that the grant shows, as one logged access"),
      required("--out <dir>", "folder for the records; receipts go to <dir>/receipts"),
      TIMEOUT,
    ],
    examples: [
      "open --grant 0x5e1f... --purpose TREAT --type Observation --out records",
      "open --grant 0x5e1f... --purpose TREAT --index 3,17 --out records",
    ],
    load: () => import("../commands/open.js"),
  },
  {
    name: "release-agent",
    summary: "answer other members' logged accesses, until stopped",
    details:
      "It serves the requests in the shared folder and, with --listen, those that come over HTTP. GET /healthz says that " +
      "it runs, GET /readyz whether its node answers and its vault opens.",
    options: [
      option("--listen <host:port>", "answer over HTTP; without a certificate on this machine only"),
      option("--tls-cert <file>", "PEM file with the agent's certificate"),
      option("--tls-key <file>", "PEM file with its key"),
      option("--tls-client-ca <file>", "PEM file: let in only clients with a certificate of this authority"),
      option("--peer <address>...", "where another release agent of this member answers"),
      option(
        "--standby <file>",
        "work with copies of vault and journal; a vault of the agent's own, made if absent",
      ),
      ...LOG_OPTIONS,
    ],
    examples: [
      "release-agent --passphrase-file /run/credentials/chartseal.service/vault",
      "release-agent --listen 0.0.0.0:8443 --tls-cert agent.pem --tls-key agent.key --tls-client-ca consortium.pem",
      "release-agent --listen 127.0.0.1:8080 --standby state.db --peer https://agent-1.harbour.example:8443",
    ],
    load: () => import("../commands/release-agent.js"),
  },
  {
    name: "replicate",
    summary: "copy vault and journal for a standby release agent, again and again until stopped",
    details:
      "The folder gets a link `current` to the newest copy; the standby's chartseal.json names current/vault.db and " +
      "current/journal.db in it. Bring the folder to the other machine by a mount or by rsync --links. A copy holds " +
      "keys, under the vault's passphrase: it is no backup, and is to be kept as the vault is.",
    options: [
      required("--to <folder>", "folder for the copies"),
      option("--every <seconds>", "seconds between copies; default 30"),
      option("--once", "copy once and end"),
    ],
    examples: ["replicate --to /srv/chartseal/copies --every 30"],
    load: () => import("../commands/replicate.js"),
  },
];

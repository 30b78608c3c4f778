// SPDX-License-Identifier: Apache-2.0
import { LOG_OPTIONS } from "../log-option.js";
import { option, type CommandSpec } from "../spec.js";

const FILING = [
  option("--rules <file>", "whose record an item is; default: what the items say"),
  option("--compartment <name>", "compartment that the records are filed in; default general"),
  option("--batch-items <n>", "most items of a batch; default 1000"),
  option("--batch-wait <ms>", "after which an incomplete batch is closed; default 5000"),
  option("--chain-wait <ms>", "that the end of the run waits for a node that is down; default 15000"),
];

/** From the hospital to the chain. */
export const RECORDS: CommandSpec[] = [
  {
    name: "ingest",
    args: [
      {
        name: "<path>",
        description: "a file, a folder, a FHIR bulk $export (folder or manifest), or - for standard input",
      },
    ],
    summary: "seal, store and anchor records; interrupted, the next run goes on where it was",
    details:
      "Takes FHIR JSON, Bundles and NDJSON, HL7 v2 messages and batches, DICOM, CDA, and any other file as it is. What a\nsource corrects amends; what it deletes or takes back (OBX-11 D and W, MDM T11, an export's deletions) is retracted;\nADT A40, A24 and A37 merge and part patients in the vault. See docs/sources.md.",
    options: [
      option("--split", "a Bundle becomes one record an entry"),
      ...FILING,
      option("--name <name>", "for -: labels the items; its extension may tell the kind"),
      {
        ...option("--format <format>", "for -: one record a line, or all of it as one"),
        choices: ["ndjson", "file"],
      },
      option("--dry-run", "only say what would happen"),
      ...LOG_OPTIONS,
    ],
    examples: [
      "ingest export/ --split",
      "ingest export.ndjson --rules rules.json",
      "ingest - --name labs.ndjson < labs.ndjson",
    ],
    load: () => import("../commands/ingest.js"),
  },
  {
    name: "listen",
    summary: "take records as they come, day and night, and anchor them, until stopped",
    details:
      "A sender is answered when his record is durable; no answer waits for the chain. GET /healthz says that it runs, " +
      "GET /readyz whether it can take records. docs/listener.md says what is acknowledged when.",
    options: [
      option("--mllp <host:port>", "HL7 v2 over MLLP; without a certificate on this machine only"),
      option("--http <host:port>", "FHIR over HTTP; without a certificate on this machine only"),
      option(
        "--http-token-file <file>",
        "with --http: bearer token that senders show; a file only you may read",
      ),
      option("--outbox <folder>", "a folder that files are put into; what is taken is moved to its done/"),
      option("--tls-cert <file>", "PEM file with the listener's certificate"),
      option("--tls-key <file>", "PEM file with its key"),
      option("--tls-client-ca <file>", "PEM file: let in only clients with a certificate of this authority"),
      option(
        "--clear-text",
        "with --mllp: other machines too without TLS, in a network that nobody else is in",
      ),
      option("--split", "a Bundle becomes one record an entry"),
      option("--most-bytes <n>", "longest message or body; default 16777216"),
      option("--most-unanchored <n>", "take nothing while so many records wait for the chain"),
      ...FILING,
      ...LOG_OPTIONS,
    ],
    examples: [
      "listen --mllp 127.0.0.1:2575 --passphrase-file /run/credentials/chartseal.service/vault",
      "listen --mllp 0.0.0.0:2575 --http 0.0.0.0:8443 --http-token-file token --tls-cert listener.pem --tls-key listener.key",
      "listen --outbox /srv/chartseal/outbox --split",
    ],
    load: () => import("../commands/listen.js"),
  },
  {
    name: "status",
    summary: "count items by state, list open batches, compare the log's head with the chain's",
    options: [option("--list", "also list the items that wait or were refused, with their labels")],
    examples: ["status", "status --list"],
    load: () => import("../commands/status.js"),
  },
  {
    name: "retry",
    summary: "anchor what earlier runs left",
    options: [
      option("--dead", "give refused items whose body is safe another chance"),
      ...FILING,
      ...LOG_OPTIONS,
    ],
    examples: ["retry", "retry --dead --rules rules.json"],
    load: () => import("../commands/retry.js"),
  },
  {
    name: "retract",
    args: [{ name: "<index>", description: "index of the entry in this member's log" }],
    summary: "mark an entry as entered in error: from now on readers are refused it",
    examples: ["retract 17"],
    load: () => import("../commands/retract.js"),
  },
  {
    name: "refile",
    args: [
      { name: "<item>", description: "a refused item (ERR_PATIENT_CHANGED), as `status --list` numbers it" },
    ],
    summary:
      "the item names the right patient: retract what was filed under the wrong one, and anchor it anew",
    options: FILING,
    examples: ["refile 12"],
    load: () => import("../commands/refile.js"),
  },
  {
    name: "settle",
    args: [
      { name: "<item>", description: "an item of which something follows, as `status --list` numbers it" },
    ],
    summary: "note that a person dealt with what follows of an item: a merge, a move, a withdrawal",
    examples: ["settle 31"],
    load: () => import("../commands/settle.js"),
  },
];

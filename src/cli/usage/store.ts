// SPDX-License-Identifier: Apache-2.0
import { option, type CommandSpec } from "../spec.js";

/** Where the sealed records lie. */
export const STORE: CommandSpec[] = [
  {
    name: "store audit",
    summary: "fetch anchored bodies from each replica, compare them, and anchor what was seen",
    details:
      "Without an option: a random 1 MiB block of 200 bodies, one in each of 200 equal parts of the log, and the manifests\nof their batches. What was seen becomes a DURABILITY_REPORT entry of the log, also when a replica fails.",
    options: [
      option("--sample <n>", "bodies to look at; default 200"),
      option("--all", "look at every body, whole"),
      option("--chain-wait <ms>", "that the report waits for a node that is down; default 30000"),
    ],
    examples: ["store audit", "store audit --sample 2000", "store audit --all --json"],
    load: () => import("../commands/store-audit.js"),
  },
  {
    name: "store repair",
    summary: "copy to each replica what it lacks or holds damaged, from the others",
    details: "Bodies of erased entries are not copied. Interrupted, the next run goes on.",
    options: [option("--verify", "read every body at every replica, to find what is damaged too")],
    examples: ["store repair", "store repair --verify"],
    load: () => import("../commands/store-repair.js"),
  },
  {
    name: "store gc",
    summary: "remove bodies that nothing names: what crashed ingests left, and what was erased",
    details:
      "Removes only what is this member's own. An orphan goes once an earlier run saw it long enough ago: run it daily.\nNo ingest may run meanwhile.",
    options: [
      option("--older-than <hours>", "since an earlier run saw it; default 24, at least 1"),
      option("--dry-run", "only say what would be removed"),
    ],
    examples: ["store gc", "store gc --dry-run"],
    load: () => import("../commands/store-gc.js"),
  },
  {
    name: "store export",
    args: [{ name: "<file>", description: "the CAR file; never overwritten" }],
    summary: "write bodies into a CAR file, which other IPFS tools read too",
    details: "Bodies are ciphertext. Without an option: all that the store holds, but for erased entries.",
    options: [
      option("--index <indices>", "only the bodies of these entries of this member's log, such as 3,17-20"),
      option(
        "--since <date>",
        "only what this member took in from then on, with the manifests of its batches",
      ),
    ],
    examples: [
      "store export bodies.car",
      "store export new.car --since 2027-01-31",
      "store export some.car --index 3,17-20",
    ],
    load: () => import("../commands/store-export.js"),
  },
  {
    name: "store import",
    args: [{ name: "<file>", description: "a CAR file whose bodies are its roots" }],
    summary: "store the bodies of a CAR file, each block verified",
    details:
      "Bodies of erased entries are left out. Cut short or damaged, what came before is stored: repeat it.",
    examples: ["store import bodies.car"],
    load: () => import("../commands/store-import.js"),
  },
];

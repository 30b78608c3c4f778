// SPDX-License-Identifier: Apache-2.0
import { option, required, type CommandSpec } from "../spec.js";

const ROLE_NAMES = "OPERATOR, CLINICIAN, REVIEWER, RELEASER";

/** Setting up: the chain's contracts, members, staff, patients. */
export const CONSORTIUM: CommandSpec[] = [
  {
    name: "deploy",
    summary: "deploy a consortium's contracts, once",
    details:
      "Signs with a key that is thrown away: the contracts have no owner. Needs no configuration and no vault.",
    options: [
      required("--chain <url>", "JSON-RPC endpoint"),
      required("--governance <address>", "account that admits, suspends and removes members"),
      option("--waiting-time <seconds>", "before new staff may witness: 3600 to 1209600; default 86400"),
      required("--out <file>", "the deployment file to write; every member gets a copy"),
    ],
    examples: [
      "deploy --chain http://127.0.0.1:8545 --governance 0x52908400098527886E0F7030069857D2E4169EE7 --out deployment.json",
    ],
    load: () => import("../commands/deploy.js"),
  },
  {
    name: "init",
    args: [{ name: "<dir>", description: "folder to make; its chartseal.json is the configuration" }],
    summary: "make a member's folder: configuration, vault and admin key",
    options: [
      required("--name <name>", "the member's name"),
      required("--chain <url>", "JSON-RPC endpoint of the member's own node"),
      required("--deployment <file>", "the consortium's deployment file"),
      option(
        "--store <place>",
        "where sealed records are kept: a folder, or the RPC of an IPFS Kubo node; default <dir>/store",
      ),
      option("--exchange <dir>", "folder shared with the other members; default <dir>/exchange"),
    ],
    examples: [
      "init a --name 'General Hospital' --chain http://127.0.0.1:8545 --deployment deployment.json --exchange /mnt/exchange",
      "init a --name 'General Hospital' --chain http://127.0.0.1:8545 --deployment deployment.json --store http://127.0.0.1:5001",
    ],
    load: () => import("../commands/init.js"),
  },
  {
    name: "member admit",
    summary: "admit a member; signs with the key `admin`, which must be the governance's",
    options: [
      required("--admin <address>", "the new member's admin, as its `chartseal init` printed it"),
      required("--name <name>", "the member's name, public on chain"),
    ],
    examples: [
      "member admit --config governance/chartseal.json --admin 0x52908400098527886E0F7030069857D2E4169EE7 --name 'General Hospital'",
    ],
    load: () => import("../commands/member-admit.js"),
  },
  {
    name: "member join",
    summary: "find this member on chain, keep its id, publish its first encryption key",
    examples: ["member join --config a/chartseal.json"],
    load: () => import("../commands/member-join.js"),
  },
  {
    name: "member publish-key",
    summary: "publish this member's next encryption key",
    examples: ["member publish-key"],
    load: () => import("../commands/member-publish-key.js"),
  },
  {
    name: "member withdraw-key",
    summary: "withdraw this member's encryption key, because it is compromised",
    details:
      "Nothing is sealed to it any more. Publish the next one with `chartseal member publish-key`, from a vault that\nnobody else had in his hands.",
    options: [option("--since <date>", "from when on what was sealed to it is to be doubted; default now")],
    examples: ["member withdraw-key --since 2026-11-01"],
    load: () => import("../commands/member-withdraw-key.js"),
  },
  {
    name: "member list",
    summary: "list the consortium's members",
    examples: ["member list --json"],
    load: () => import("../commands/member-list.js"),
  },
  {
    name: "member suspend",
    args: [{ name: "<id>", description: "member id" }],
    summary: "suspend a member; without --reading and --writing, lift its suspension",
    options: [
      option("--reading", "its clinicians may not read"),
      option("--writing", "its operators may not anchor"),
    ],
    examples: ["member suspend 2 --reading", "member suspend 2"],
    load: () => import("../commands/member-suspend.js"),
  },
  {
    name: "member remove",
    args: [{ name: "<id>", description: "member id" }],
    summary: "remove a member for good; its records stay provable",
    examples: ["member remove 2"],
    load: () => import("../commands/member-remove.js"),
  },
  {
    name: "staff enrol",
    summary: "enrol an account of this member's staff, with a new key in the vault unless --account is given",
    options: [
      required("--name <name>", "the key's name in the vault"),
      required("--role <roles>", `comma-separated: ${ROLE_NAMES}`),
      option("--not-after <date>", "until when; default one year from now"),
      option("--person-id <hex>", "32 bytes, the same for all accounts of one person; default random"),
      option("--account <address>", "account of a key that is held elsewhere"),
    ],
    examples: [
      "staff enrol --name clinician --role CLINICIAN --not-after 2027-12-31",
      "staff enrol --name operator --role OPERATOR,RELEASER",
    ],
    load: () => import("../commands/staff-enrol.js"),
  },
  {
    name: "staff import",
    args: [
      {
        name: "<file>",
        description: "CSV with the header name,roles,notAfter,personId; roles separated by ;",
      },
    ],
    summary: "enrol staff from a CSV file; may be repeated",
    examples: ["staff import staff.csv"],
    load: () => import("../commands/staff-import.js"),
  },
  {
    name: "staff share",
    args: [{ name: "<personId>", description: "as `staff enrol` and `staff list --json` show it" }],
    summary: "let another member enrol a person of this member's staff, too, who works at both; for good",
    options: [required("--with <member>", "member id")],
    examples: ["staff share 0x6b1f...e20c --with 2"],
    load: () => import("../commands/staff-share.js"),
  },
  {
    name: "staff list",
    summary: "list every account that this member enrolled",
    examples: ["staff list"],
    load: () => import("../commands/staff-list.js"),
  },
  {
    name: "staff revoke",
    args: [{ name: "<nameOrAddress>", description: "name of the key in the vault, or the account" }],
    summary: "revoke an account, at once and for good",
    options: [
      { ...required("--reason <reason>", "why"), choices: ["LEFT", "KEY_LOST", "KEY_COMPROMISED", "MISUSE"] },
      option("--since <date>", "from when on what it signed is to be doubted; default now"),
    ],
    examples: [
      "staff revoke clinician --reason LEFT",
      "staff revoke clinician --reason KEY_COMPROMISED --since 2026-11-01",
    ],
    load: () => import("../commands/staff-revoke.js"),
  },
];

// SPDX-License-Identifier: Apache-2.0

/*
 * Imports point one way:
 *   cli -> access, acts, audit, consent, durability, ingest, lifecycle, listen, members, monitor -> records -> crypto | storage | vault | chain
 * src/errors.ts, src/loopback.ts, src/printable.ts, src/secret-file.ts and src/sqlite.ts lie under them. src/config.ts reads a deployment, so it lies above chain.
 */
const ERRORS = ["src/errors.ts"];
const BASE = [...ERRORS, "src/loopback.ts", "src/secret-file.ts", "src/sqlite.ts", "src/crypto/"];
const RECORDS = [...BASE, "src/storage/", "src/vault/", "src/chain/"];
const ACTS = [...RECORDS, "src/records/", "src/printable.ts", "src/config.ts"];

/** What each part of ours may import of ours besides itself; paths that end in a slash mean the whole folder. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/errors.ts": [],
  "src/loopback.ts": [],
  "src/printable.ts": [],
  "src/secret-file.ts": [],
  "src/sqlite.ts": ERRORS,
  "src/config.ts": [...ERRORS, "src/loopback.ts", "src/chain/", "src/storage/"],
  "src/crypto/": ERRORS,
  "src/storage/": [...BASE, "src/printable.ts"],
  "src/vault/": BASE,
  "src/chain/": [...BASE, "typechain-types/"],
  "src/records/": RECORDS,
  "src/ingest/": ACTS,
  "src/consent/": ACTS,
  "src/members/": ACTS,
  "src/acts/": [...ACTS, "src/consent/"],
  "src/server/": [...ERRORS, "src/loopback.ts"],
  "src/access/": [...ACTS, "src/consent/", "src/server/"],
  "src/audit/": [...ACTS, "src/consent/", "src/access/"],
  "src/durability/": [...ACTS, "src/ingest/"],
  "src/lifecycle/": [...ACTS, "src/consent/", "src/ingest/", "src/access/", "src/audit/"],
  "src/listen/": [...ACTS, "src/ingest/", "src/server/"],
  "src/monitor/": [...ACTS, "src/access/", "src/members/"],
  "src/cli/": ["src/"],
  "src/": ["src/"], // the public face: index.ts and what it puts together
  "typechain-types/": [],
  "scripts/": ["src/index.ts"], // what an integrator would copy
  "ignition/": ["src/chain/limits.ts"],
  "network/": [], // runs before anything is installed
  "bench/": ["src/", "test/", "typechain-types/"],
  "test/": ["src/", "typechain-types/", "ignition/", "scripts/", "bench/", "hardhat.config.ts"],
  "hardhat.config.ts": [],
  ".ci/": ["hardhat.config.ts", "test/package/outside-npm.ts"],
};

/** Small enough to be taken alone, without loading ciphers: the one file entered past its folder's index.ts. */
const SIDE_DOORS = ["src/crypto/bytes.ts"];

/** Why `from` may not import `to` (paths from the root), or undefined when it may. */
export function refusal(from: string, to: string): string | undefined {
  const part = partOf(from);
  const allowed = MAY_IMPORT[part];
  if (allowed === undefined) return `${part} has no line in .ci/checks/import-rules.ts`;
  if (isIn(to, part) && part !== "src/") return undefined;
  if (!allowed.some((path) => isIn(to, path)))
    return `${part} may import of ours only: ${allowed.join(", ")}`;
  if (isIn(to, "src/cli/") && from.startsWith("src/")) return "nothing in src/ imports the command line";
  const throughTheDoor = /^src\/[^/]+\/(?!index\.ts$)/.test(to) && from.startsWith("src/");
  if (throughTheDoor && !SIDE_DOORS.includes(to)) return "a folder is entered through its index.ts";
  return undefined;
}

/** The most exact key of the table that holds the path. */
function partOf(path: string): string {
  const keys = Object.keys(MAY_IMPORT).filter((key) => isIn(path, key));
  const top = /^src\/[^/]+\//.exec(path)?.[0]; // a new folder of src/ needs a line of its own
  return top ?? keys.toSorted((a, b) => b.length - a.length)[0] ?? path;
}

function isIn(path: string, part: string): boolean {
  return part.endsWith("/") ? path.startsWith(part) : path === part;
}

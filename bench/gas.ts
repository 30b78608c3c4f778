// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Acts } from "./gas-acts.js";
import { measureActs } from "./gas-acts.js";
import { openChain } from "./gas-chain.js";
import type { Ours } from "./gas-figures.js";
import { measureOurs } from "./gas-figures.js";
import type { Passkeys } from "./gas-passkeys.js";
import { measurePasskeys } from "./gas-passkeys.js";
import type { Peers } from "./gas-peers.js";
import { measurePeers } from "./gas-peers.js";
import { SIZE_LIMIT, contractSizes } from "./gas-sizes.js";

const HELP = `Gas of chartseal's calls and of its peers', on one chain in this process.

npm run bench:gas -- [--json] [--check | --update]

  --json    one JSON object instead of the table
  --check   compare with bench/gas-snapshot.json to the unit
  --update  write bench/gas-snapshot.json
  --help    this text

Example: npm run -s bench:gas -- --json > gas.json
Exit code 0 done, 1 a limit is broken or the snapshot differs, 2 wrong usage.
`;

/** Most that a figure may cost; the design's promises. */
const LIMITS: Partial<Record<keyof Ours, number>> = {
  recordInBatchOf1000: 60,
  grantBySignature: 85_000,
  accessOneRecord: 75_000,
  accessExtraRecord: 18_000,
};
/** Cost is flat: past a million records, and with many grants, a call differs by less than this from the first. */
const FLAT_PERCENT = 2;
const FLAT: [near: keyof Ours, far: keyof Ours][] = [
  ["recordInBatchOf1000", "recordInBatchOf1000PastAMillion"],
  ["accessOneRecord", "accessOneRecordPastAMillion"],
  ["accessScope", "accessScopePastAMillion"],
];

const SNAPSHOT = new URL("gas-snapshot.json", import.meta.url);

/** Peers that do a row's work, by our row. */
const PEERS_OF: Partial<Record<keyof Ours, (keyof Peers)[]>> = {
  recordInBatchOf1000: ["easMultiTimestampItem"],
  recordInBatchOf1: ["easAttest", "easTimestamp", "naiveRecord"],
};

interface Result {
  ours: Ours;
  passkeys: Passkeys;
  acts: Acts;
  peers: Peers;
  /** Bytes of each contract. */
  sizes: Record<string, number>;
  /** By how many per cent a call costs more or less past a million records and 10,000 grants. */
  flatPercent: Record<string, number>;
  broken: string[];
}

async function measure(): Promise<Result> {
  const chain = await openChain();
  try {
    const ours = await measureOurs(chain);
    const passkeys = await measurePasskeys(chain);
    const peers = await measurePeers(chain);
    const acts = await measureActs(chain);
    const sizes = await contractSizes();
    const flatPercent: Record<string, number> = {};
    const broken: string[] = Object.entries(LIMITS)
      .filter(([name, limit]) => ours[name as keyof Ours] > limit)
      .map(([name, limit]) => `${name} is ${ours[name as keyof Ours]}, more than ${limit}`);
    for (const [near, far] of FLAT) {
      const percent = (100 * Math.abs(ours[far] - ours[near])) / ours[near];
      flatPercent[near] = Number(percent.toFixed(3));
      if (percent >= FLAT_PERCENT) broken.push(`${far} is ${ours[far]}, not as at first ${ours[near]}`);
    }
    for (const [name, size] of Object.entries(sizes)) {
      if (size > SIZE_LIMIT) broken.push(`${name} has ${size} bytes, more than ${SIZE_LIMIT}`);
    }
    return { ours, passkeys, acts, peers, sizes, flatPercent, broken };
  } finally {
    await chain.connection.close();
  }
}

function gas(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 1_000 ? 3 : 1 });
}

function table({ ours, passkeys, acts, peers, sizes, flatPercent }: Result): string {
  const rows = [["gas", "chartseal", "limit", "peers"]];
  for (const [name, value] of Object.entries(ours) as [keyof Ours, number][]) {
    const beside = (PEERS_OF[name] ?? []).map((peer) => `${peer} ${gas(peers[peer])}`).join(", ");
    rows.push([name, gas(value), LIMITS[name] === undefined ? "" : gas(LIMITS[name]), beside]);
  }
  for (const [name, value] of Object.entries({ ...passkeys, ...acts })) rows.push([name, gas(value), "", ""]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length));
  const lines = rows.map(([name, value, limit, beside]) =>
    `${name!.padEnd(width(0))}  ${value!.padStart(width(1))}  ${limit!.padStart(width(2))}  ${beside}`.trimEnd(),
  );
  for (const [name, percent] of Object.entries(flatPercent)) {
    lines.push(
      `${name} differs by ${percent} % past 1,000,000 records and 10,000 grants (limit ${FLAT_PERCENT} %)`,
    );
  }
  const bytes = Object.entries(sizes).map(([name, size]) => `${name} ${gas(size)}`);
  lines.push(`bytes (limit ${gas(SIZE_LIMIT)}): ${bytes.join(", ")}`);
  return lines.join("\n");
}

/** Rows that differ from the snapshot. */
function differences({ ours, passkeys, acts, peers }: Result): string[] {
  const kept = JSON.parse(readFileSync(SNAPSHOT, "utf8")) as Record<string, number>;
  const seen: Record<string, number> = { ...ours, ...passkeys, ...acts, ...peers };
  return [...new Set([...Object.keys(kept), ...Object.keys(seen)])]
    .filter((name) => kept[name] !== seen[name])
    .map((name) => `${name}: ${kept[name] ?? "not"} in the snapshot, ${seen[name] ?? "not"} measured`);
}

const OPTIONS = {
  json: { type: "boolean" },
  check: { type: "boolean" },
  update: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** Nothing when the command line is wrong. */
function parseOptions() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (cause) {
    process.stderr.write(`${(cause as Error).message}\n\n${HELP}`);
    return undefined;
  }
}

async function main(): Promise<void> {
  const options = parseOptions();
  if (options === undefined) {
    process.exitCode = 2;
    return;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const result = await measure();
  const { ours, passkeys, acts, peers, sizes, flatPercent, broken } = result;
  const figures = { ...ours, ...passkeys, ...acts, ...peers };
  if (options.update) writeFileSync(SNAPSHOT, `${JSON.stringify(figures, null, 2)}\n`);
  const differing = options.check ? differences(result) : [];
  const json = {
    ...ours,
    ...passkeys,
    ...acts,
    peers,
    limits: LIMITS,
    sizes,
    flatPercent,
    broken,
    differing,
  };
  process.stdout.write(`${options.json ? JSON.stringify(json) : table(result)}\n`);
  for (const line of [...broken, ...differing]) process.stderr.write(`${line}\n`);
  if (broken.length + differing.length > 0) process.exitCode = 1;
}

await main();

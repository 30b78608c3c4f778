// SPDX-License-Identifier: Apache-2.0
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { tableOf } from "./figures.js";
import { aimsOf, type Speed } from "./speed-aims.js";
import { bodyTable, measureBody } from "./speed-body.js";
import { ingestTable, measureIngest } from "./speed-ingest.js";
import { measureOpen, openTable } from "./speed-open.js";

const HELP = `Speed beside peers that run in the same minutes on the same disk; each part's floor comes first.

npm run bench -- [ingest] [body] [open] [--records N] [--mib N] [--rounds N] [--full] [--check] [--json]

  ingest       NDJSON to anchored, beside a plain copy and beside a loop of one transaction a record
  body         one large file to sealed and stored, beside cp and sha256sum and beside the age format
  open         a long log opened, verified and read
  --records N  of ingest and open, 1,000 at least, default 100,000
  --mib N      size of the one body, default 1,024
  --rounds N   of ingest and body, default 3; medians are shown
  --full       1,000,000 records in one round
  --check      exit code 1 when an aim is missed
  --json       one JSON object instead of the tables
  --help       this text

Without a part all three: some ten minutes, 3 GiB of disk; with --full two hours and 15 GiB.

Example: npm run -s bench -- ingest --records 20000 --json > speed.json
Exit code 0 done, 1 an aim is missed (with --check) or a contender failed, 2 wrong usage.
`;

const PARTS = ["ingest", "body", "open"] as const;
const FULL_RECORDS = 1_000_000;
/** Fewer say nothing of how a record's cost grows. */
const LEAST_RECORDS = 1_000;

process.exitCode = await main();

async function main(): Promise<number> {
  const given = argumentsGiven();
  if (given === undefined) {
    process.stderr.write(HELP);
    return 2;
  }
  const { values, parts } = given;
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const records = values.full ? FULL_RECORDS : Number(values.records);
  const rounds = values.full ? 1 : Number(values.rounds);
  const show = (text: string) => {
    if (!values.json) process.stdout.write(`${text}\n`);
  };
  const speed: Speed = { machine: machine() };
  show(`${speed.machine.cpus} x ${speed.machine.model}, Node ${speed.machine.node}\n`);
  if (parts.includes("ingest")) {
    speed.ingest = await measureIngest(records, rounds);
    show(ingestTable(speed.ingest));
  }
  if (parts.includes("body")) {
    speed.body = await measureBody(Number(values.mib), Number(values.rounds));
    show(bodyTable(speed.body));
  }
  if (parts.includes("open")) {
    speed.open = await measureOpen(records);
    show(openTable(speed.open));
  }
  const aims = aimsOf(speed);
  const rows = aims.map(({ name, aim, found, met }) => [name, aim, found, met ? "met" : "missed"]);
  show(tableOf("Aims:", [["", "aim", "found", ""], ...rows]));
  if (values.json) process.stdout.write(`${JSON.stringify({ ...speed, aims })}\n`);
  return values.check && aims.some(({ met }) => !met) ? 1 : 0;
}

function argumentsGiven() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        records: { type: "string", default: "100000" },
        mib: { type: "string", default: "1024" },
        rounds: { type: "string", default: "3" },
        full: { type: "boolean", default: false },
        check: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const known: readonly string[] = PARTS;
    const counts = isCount(values.records, LEAST_RECORDS) && isCount(values.mib) && isCount(values.rounds);
    const good = counts && positionals.every((part) => known.includes(part));
    return good ? { values, parts: positionals.length === 0 ? known : positionals } : undefined;
  } catch {
    return undefined;
  }
}

function isCount(text: string, least = 1): boolean {
  return Number.isSafeInteger(Number(text)) && Number(text) >= least;
}

function machine() {
  const [first] = cpus();
  return { cpus: cpus().length, model: first?.model.trim() ?? "", node: process.versions.node };
}

// SPDX-License-Identifier: Apache-2.0
// A module for `node --import`: numbers everything that outlives the process (commits, files, transactions), just
// before and just after it, and kills the process without warning at number KILL_AT of those that KILL_WHAT matches.
// With KILL_READS it also numbers what only reads: the look whether an item is known, a nonce, a receipt. With
// KILL_ANNOUNCE it says when the first one is passed, so that a parent can kill by its own clock.
// A point's name ends with the step in an item's life that it belongs to, such as "(confirm)".
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Transaction } from "ethers";
import { RecordRegistry__factory } from "../../src/chain/factories.js";

const killAt = Number(process.env["KILL_AT"] ?? Infinity);
const killWhat = new RegExp(process.env["KILL_WHAT"] ?? "");
const reads = process.env["KILL_READS"] !== undefined;
const announce = process.env["KILL_ANNOUNCE"] !== undefined;
const points: string[] = [];
let passed = 0;

/** What a statement does for an item on its way. */
const STEPS: readonly (readonly [RegExp, string])[] = [
  [/^SELECT 1 FROM items WHERE source_mac/, "receive"],
  [/INTO content_keys/, "seal"],
  [/INTO (blob|loose_file)\b/, "store"],
  [/^INSERT INTO items/, "record"],
  [/^INSERT INTO batches/, "batch"],
  [/^UPDATE batches SET raw_transaction/, "sign"],
  [/^UPDATE batches SET transaction_hash/, "confirm"],
  [/^UPDATE batches SET state/, "send"],
  [/^UPDATE items SET superseded_by/, "supersede"],
  [/^UPDATE items SET (withdrawn|retracted)/, "retract"],
];
/** What a question to the node does for it. */
const QUESTIONS: Readonly<Record<string, string>> = {
  eth_getTransactionCount: "sign",
  eth_getTransactionReceipt: "confirm",
};
/** Calls of the log's member, by their selectors. */
const CALLS: ReadonlyMap<string, string> = new Map(
  (["supersede", "retract"] as const).map((name) => [
    RecordRegistry__factory.createInterface().getFunction(name).selector,
    name,
  ]),
);
/** Characters of `0x` and a selector. */
const SELECTOR_LENGTH = 10;

function point(what: string): void {
  if (announce && points.length === 0) fs.writeSync(1, `${JSON.stringify({ announced: what })}\n`);
  points.push(what);
  if (!killWhat.test(what) || ++passed !== killAt) return;
  fs.writeSync(1, `${JSON.stringify({ killed: what })}\n`);
  process.kill(process.pid, "SIGKILL");
}

function around<T>(what: string, work: () => T): T {
  point(`before ${what}`);
  const result = work();
  point(`after ${what}`);
  return result;
}

/** The step of each open transaction: that of its first statement which has one. */
const stepOf = new WeakMap<DatabaseSync, string>();

function stepIn(sql: string): string | undefined {
  return STEPS.find(([pattern]) => pattern.test(sql.trim()))?.[1];
}

// oxlint-disable-next-line typescript/unbound-method -- called with the instance below
const { exec, prepare } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
  if (sql.startsWith("BEGIN")) stepOf.delete(this);
  if (sql !== "COMMIT") return exec.call(this, sql);
  return around(`commit to ${nameOf(this)} (${stepOf.get(this) ?? "other"})`, () => exec.call(this, sql));
};
DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args: Parameters<typeof prepare>) {
  const statement: StatementSync = prepare.apply(this, args);
  const step = stepIn(args[0]);
  const run = statement.run.bind<StatementSync["run"]>(statement);
  statement.run = ((...values: Parameters<typeof run>) => {
    if (!this.isTransaction)
      return around(`write to ${nameOf(this)} (${step ?? "other"})`, () => run(...values));
    if (step !== undefined && !stepOf.has(this)) stepOf.set(this, step);
    return run(...values);
  }) as typeof run;
  if (reads && step === "receive") {
    const get = statement.get.bind<StatementSync["get"]>(statement);
    statement.get = ((...values: Parameters<typeof get>) =>
      around("an item is looked for (receive)", () => get(...values))) as typeof get;
  }
  return statement;
};

const { renameSync } = fs;
fs.renameSync = (from, to) => around("rename of a body (store)", () => renameSync(from, to));

const { fetch } = globalThis;
globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
  const body = args[1]?.body;
  const what = body instanceof Uint8Array ? callIn(body) : undefined;
  if (what !== undefined) point(`before ${what}`);
  const response = await fetch(...args);
  if (what !== undefined) point(`after ${what}`);
  return response;
};
syncBuiltinESMExports();

process.on("exit", () => fs.writeSync(1, `${JSON.stringify({ points })}\n`));

/** What a call to the node is, when it counts. */
function callIn(body: Uint8Array): string | undefined {
  const { method = "", params } = JSON.parse(Buffer.from(body).toString()) as {
    method?: string;
    params: string[];
  };
  if (method === "eth_sendRawTransaction") {
    const selector = Transaction.from(params[0]).data.slice(0, SELECTOR_LENGTH);
    return `a transaction is sent (${CALLS.get(selector) ?? "send"})`;
  }
  const step = reads ? QUESTIONS[method] : undefined;
  return step === undefined ? undefined : `${method} (${step})`;
}

function nameOf(database: DatabaseSync): string {
  return /[^/]*$/.exec(database.location() ?? "")![0];
}

// SPDX-License-Identifier: Apache-2.0
// A module for `node --import`: numbers everything that outlives the process (commits, files, transactions), just
// before and just after it, and kills the process without warning at number KILL_AT of those that KILL_WHAT matches.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync, type StatementSync } from "node:sqlite";

const killAt = Number(process.env["KILL_AT"] ?? Infinity);
const killWhat = new RegExp(process.env["KILL_WHAT"] ?? "");
const points: string[] = [];
let passed = 0;

function point(what: string): void {
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

// oxlint-disable-next-line typescript/unbound-method -- called with the instance below
const { exec, prepare } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
  if (sql === "COMMIT") return around(`commit to ${nameOf(this)}`, () => exec.call(this, sql));
  return exec.call(this, sql);
};
DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args: Parameters<typeof prepare>) {
  const statement: StatementSync = prepare.apply(this, args);
  const run = statement.run.bind<StatementSync["run"]>(statement);
  statement.run = ((...values: Parameters<typeof run>) =>
    this.isTransaction
      ? run(...values)
      : around(`write to ${nameOf(this)}`, () => run(...values))) as typeof run;
  return statement;
};

const { renameSync } = fs;
fs.renameSync = (from, to) => around("rename of a body", () => renameSync(from, to));

const { fetch } = globalThis;
globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
  const body = args[1]?.body;
  const sends = body instanceof Uint8Array && Buffer.from(body).includes("eth_sendRawTransaction");
  if (sends) point("before a transaction is sent");
  const response = await fetch(...args);
  if (sends) point("after a transaction is sent");
  return response;
};
syncBuiltinESMExports();

process.on("exit", () => fs.writeSync(1, `${JSON.stringify({ points })}\n`));

function nameOf(database: DatabaseSync): string {
  return /[^/]*$/.exec(database.location() ?? "")![0];
}

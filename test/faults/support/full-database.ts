// SPDX-License-Identifier: Apache-2.0
// A module for `node --import`: lets the SQLite file named FULL_DATABASE grow by FULL_PAGES pages and no more. SQLite
// itself then says that it is full, as it does on a full disk; which file meets a full disk first cannot be chosen.
import { DatabaseSync } from "node:sqlite";

const name = process.env["FULL_DATABASE"] ?? "";
const pages = Number(process.env["FULL_PAGES"]);
const limited = new WeakSet<DatabaseSync>();

// oxlint-disable-next-line typescript/unbound-method -- called with the instance below
const { exec, prepare } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
  if (!limited.has(this) && this.location()?.endsWith(`/${name}`) === true) {
    limited.add(this);
    const count = prepare.call(this, "PRAGMA page_count").get()!["page_count"];
    exec.call(this, `PRAGMA max_page_count = ${Number(count) + pages}`);
  }
  return exec.call(this, sql);
};

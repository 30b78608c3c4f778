// SPDX-License-Identifier: Apache-2.0
// The floor: copies lines, each with its SHA-256, and makes every hundred durable. node ingest-copy.ts FILE COPY
//
// Nothing is read of a line, sealed, known again or anchored: no intake can do less.
import { hash } from "node:crypto";
import { closeSync, createReadStream, fdatasyncSync, openSync, writevSync } from "node:fs";
import { begin } from "./ingest-outcome.js";

/** As many as chartseal takes in one durable commit. */
const GROUP_LINES = 100;
const LINE_FEED = 0x0a;
const READ_BYTES = 256 * 1024;

const [file = "", copy = ""] = process.argv.slice(2);
const out = openSync(copy, "wx");
const outcome = { records: 0, bytes: 0, gas: 0 };
let group: Uint8Array[] = [];
let rest: Uint8Array = new Uint8Array();

const say = begin();
for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
  const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  let from = 0;
  for (let to = bytes.indexOf(LINE_FEED); to !== -1; to = bytes.indexOf(LINE_FEED, from)) {
    take(bytes.subarray(from, to));
    from = to + 1;
  }
  rest = bytes.subarray(from);
}
flush();
closeSync(out);
say(outcome);

function take(line: Uint8Array): void {
  group.push(hash("sha256", line, "buffer"), line);
  outcome.records++;
  outcome.bytes += line.length + 1;
  if (group.length === 2 * GROUP_LINES) flush();
}

function flush(): void {
  if (group.length === 0) return;
  writevSync(out, group);
  fdatasyncSync(out);
  group = [];
}

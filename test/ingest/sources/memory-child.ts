// SPDX-License-Identifier: Apache-2.0
// Started by memory.test.ts with a small heap: prints what it read and the most memory it held, in bytes.
import { ndjsonSource } from "../../../src/ingest/sources/index.js";
import { isBadItem, readFhir } from "../../../src/records/index.js";
import { peakMemoryMiB } from "../../support/peak-memory.js";

const LINES = 200_000;
const BUNDLE_BYTES = 50 * 1024 * 1024;

const observation = (id: number) =>
  `{"resourceType":"Observation","id":"${id}","status":"final","subject":{"reference":"Patient/${id % 100}"},` +
  `"code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body weight"}]},` +
  `"effectiveDateTime":"2020-01-01","valueQuantity":{"value":70.${id % 10}0,"unit":"kg"}}`;

async function* lines(): AsyncGenerator<Uint8Array> {
  for (let id = 0; id < LINES; id += 100) {
    const some = Array.from({ length: 100 }, (_, index) => `${observation(id + index)}\r\n`);
    yield new TextEncoder().encode(some.join(""));
  }
}

async function readLines(): Promise<number> {
  let items = 0;
  for await (const item of ndjsonSource(lines())) if (!isBadItem(item)) items += 1;
  return items;
}

function bundleBytes(): Uint8Array {
  const bytes = Buffer.alloc(BUNDLE_BYTES + 1024);
  let at = bytes.write('{"resourceType":"Bundle","entry":[');
  for (let id = 0; at < BUNDLE_BYTES; id += 1) at += bytes.write(`{"resource":${observation(id)}},\n`, at);
  at += bytes.write("{}]}", at);
  return bytes.subarray(0, at);
}

function readBundle(bytes: Uint8Array): number {
  const text = readFhir(bytes);
  return text.kind === "bundle" ? text.bundle.entries.length : 0;
}

const bytes = process.argv[2] === "bundle" ? bundleBytes() : undefined;
const before = peakMemoryMiB() * 1024 * 1024;
const start = performance.now();
const items = bytes === undefined ? await readLines() : readBundle(bytes);
const milliseconds = performance.now() - start;
const grown = peakMemoryMiB() * 1024 * 1024 - before;
process.stdout.write(JSON.stringify({ items, grown, milliseconds }));

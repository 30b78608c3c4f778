// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

/** Reads a file of test/vectors. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8")) as T;
}

export function base64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}

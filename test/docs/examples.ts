// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

const MARKED = /<!-- example: (?<name>[\w-]+) -->\s*```\w+\n(?<text>.*?)```/gsu;

const FORMATS = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");
const examples = new Map(
  [...FORMATS.matchAll(MARKED)].map(({ groups }) => [groups!["name"]!, groups!["text"]!.trimEnd()]),
);

/** The fenced block behind `<!-- example: NAME -->` in docs/formats.md. @throws when there is none */
export function textExample(name: string): string {
  const text = examples.get(name);
  if (text === undefined) throw new Error(`docs/formats.md has no example ${name}`);
  return text;
}

export function jsonExample<T>(name: string): T {
  return JSON.parse(textExample(name)) as T;
}

/** Hex or base64 that is broken into lines. */
export function bytesExample(name: string, encoding: "hex" | "base64" = "hex"): Uint8Array {
  return Uint8Array.from(Buffer.from(textExample(name).replaceAll(/\s/gu, ""), encoding));
}

/** Names of all examples, in their order. */
export function exampleNames(): string[] {
  return [...examples.keys()];
}

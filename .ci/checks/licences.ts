// SPDX-License-Identifier: Apache-2.0
// Every package that is installed with chartseal must be under a licence that lets a hospital use it as it likes.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { report } from "./our-files.js";

const ALLOWED = new Set(
  (
    "0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BlueOak-1.0.0 CC0-1.0 ISC MIT MIT-0 " +
    "Python-2.0 Unlicense Zlib"
  ).split(" "),
);

interface Listed {
  path?: string;
  dependencies?: Record<string, Listed>;
}

const listing = execFileSync("npm", ["ls", "--omit=dev", "--all", "--json", "--long"], {
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024, // bytes; --long prints every package.json
});
const folders = [...new Set(foldersOf(JSON.parse(listing) as Listed))];
report(
  "licences",
  folders.length,
  folders.flatMap((folder) => {
    const { name, licence } = licenceOf(folder);
    return isAllowed(licence) ? [] : [`${name}: ${licence} is not on the list in .ci/checks/licences.ts`];
  }),
);

function foldersOf(listed: Listed): string[] {
  return Object.values(listed.dependencies ?? {}).flatMap((child) => [
    ...(child.path !== undefined && existsSync(child.path) ? [child.path] : []), // optional ones may be absent
    ...foldersOf(child),
  ]);
}

function licenceOf(folder: string): { name: string; licence: string } {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as {
    name: string;
    license?: string | { type: string };
    licenses?: { type: string }[];
  };
  const { license, licenses } = manifest;
  const licence = typeof license === "string" ? license : (license?.type ?? licenses?.[0]?.type ?? "none");
  return { name: manifest.name, licence };
}

/** An SPDX expression of OR and AND without nested brackets; of alternatives one suffices. */
function isAllowed(expression: string): boolean {
  const alternatives = expression.replaceAll(/[()]/g, "").split(" OR ");
  return alternatives.some((part) => part.split(" AND ").every((licence) => ALLOWED.has(licence.trim())));
}

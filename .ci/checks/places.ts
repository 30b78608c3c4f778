// SPDX-License-Identifier: Apache-2.0
// No file of ours names a place that only one machine has: somebody's folders, or the host of a package registry.
import { readFileSync } from "node:fs";
import { ourFiles, report } from "./our-files.js";

/** Hosts of registries, each in two parts, so that this file does not find itself. */
const REGISTRIES = [
  ["regis", "try.npmjs.org"],
  ["py", "pi.org"],
  ["python", "hosted.org"],
  ["crates", ".io"],
  ["proxy.go", "lang.org"],
  ["maven", ".org"],
  ["deb.deb", "ian.org"],
].map((parts) => parts.join(""));
const MIRROR =
  /\b(?:registry|mirror|artifactory|nexus)[\w-]*\.[a-z0-9-]+\.(?:com|org|net|io|dev|internal|local)\b/;
const ABSOLUTE_PATH = /(?<![\w.~)\]}-])\/(?:work|home|root|Users)\/[\w.-]/; // not ./work/ or src/home/
const WINDOWS_PATH = /\b[A-Z]:\\{1,2}(?:Users|Documents)\b/;

function namesAPlace(line: string): boolean {
  const patterns = [MIRROR, ABSOLUTE_PATH, WINDOWS_PATH];
  return patterns.some((pattern) => pattern.test(line)) || REGISTRIES.some((host) => line.includes(host));
}

const files = ourFiles();
const findings = files.flatMap((path) => {
  const content = readFileSync(path);
  if (content.includes(0)) return []; // not text
  const lines = content.toString("utf8").split("\n");
  return lines.flatMap((line, index) =>
    namesAPlace(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [],
  );
});
report("places", files.length, findings);

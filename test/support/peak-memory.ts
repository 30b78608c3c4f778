// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

/**
 * The greatest resident memory of this process so far, in MiB. Linux counts in `ru_maxrss` also what the process that
 * started this one held at that moment, so its own high-water mark is read there.
 */
export function peakMemoryMiB(): number {
  const kib =
    process.platform === "linux"
      ? Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1])
      : process.resourceUsage().maxRSS;
  return kib / 1024;
}

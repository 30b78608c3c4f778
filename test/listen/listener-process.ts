// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SUPPORT = new URL("../support/strip-types.ts", import.meta.url);
const KILL_POINT = new URL("../support/kill-point.ts", import.meta.url);

export interface ListenerProcess {
  /** Where it listens; rejects when it ends before. */
  ready: Promise<string>;
  closed: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill: (signal: NodeJS.Signals) => void;
  /** All that it wrote. */
  output: () => string;
}

/** A listener in a process of its own, which dies at the given point of those that outlive it. */
export function startListener(config: string, killAt = Infinity, killWhat = ""): ListenerProcess {
  const script = fileURLToPath(new URL("listen-child.ts", import.meta.url));
  const imports = [SUPPORT, KILL_POINT].flatMap(({ href }) => ["--import", href]);
  const env = { ...process.env, KILL_AT: String(killAt), KILL_WHAT: killWhat };
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", ...imports, script, config],
    {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  const ready = Promise.withResolvers<string>();
  ready.promise.catch(() => {}); // also when nobody waits for it any more
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const address = /"ready":"([^"]+)"/.exec(output)?.[1];
      if (address !== undefined) ready.resolve(address);
    });
  }
  const closed = once(child, "close").then(([code, signal]) => {
    ready.reject(new Error(`the listener ended: ${output}`));
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  return { ready: ready.promise, closed, kill: (signal) => child.kill(signal), output: () => output };
}

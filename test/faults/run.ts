// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SAMPLED_POINTS } from "./support/extent.js";
import { FIGURES_FILE, figuresIn, figuresTable } from "./support/figures.js";

const HELP = `Crashes and faults of an ingest, with real processes: what is killed, starved, lied to or stopped
must lose nothing, anchor nothing twice and go on.

npm run test:faults -- [--seed N] [--points N] [--json]

  --seed N    which moments and which data; default 20260101. A failure comes again with its seed
  --points N  points at which an ingest is killed; default ${SAMPLED_POINTS}. From 200 on every other fault is also tried
              with several seeds
  --json      one JSON array of figures on standard output; the tests' report goes to standard error
  --help      this text

Example: npm run -s test:faults -- --seed 7 --points 240 --json > faults.json
Exit code 0 nothing was lost, 1 something was, 2 wrong usage.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const values = argumentsGiven();
  if (values === undefined || values.help) {
    (values === undefined ? process.stderr : process.stdout).write(HELP);
    return values === undefined ? 2 : 0;
  }
  const folder = mkdtempSync(join(tmpdir(), "chartseal-faults-"));
  const file = join(folder, "figures.ndjson");
  try {
    const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
    const child = spawn(process.execPath, [mocha, "test/faults/*.test.ts"], {
      stdio: ["ignore", values.json ? 2 : 1, 2],
      env: {
        ...process.env,
        [FIGURES_FILE]: file,
        ...(values.seed === undefined ? {} : { CHARTSEAL_SEED: values.seed }),
        ...(values.points === undefined ? {} : { CHARTSEAL_FAULT_POINTS: values.points }),
      },
    });
    const [code] = (await once(child, "close")) as [number | null];
    const figures = figuresIn(file);
    process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : figuresTable(figures));
    return code === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function argumentsGiven() {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" },
        points: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const whole = (text = "1", least = 0) => /^\d{1,9}$/.test(text) && Number(text) >= least;
    return whole(values.seed) && whole(values.points, 1) ? values : undefined;
  } catch {
    return undefined;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outsideNpm } from "./outside-npm.js";

export const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const COMMAND_TIMEOUT_MS = 300_000; // an install over a slow line

export interface Ran {
  exit: number | null;
  stdout: string;
  stderr: string;
}

/**
 * An empty project outside the repository, with chartseal installed from its tarball and nothing else: what an
 * integrator has. Expects `npm run build` to have filled dist/, and a package registry within reach of npm.
 */
export class InstalledProject implements Disposable {
  readonly #root = realpathSync(mkdtempSync(join(tmpdir(), "chartseal-package-")));
  readonly folder = join(this.#root, "project");
  /** Paths inside the tarball, as npm lists them. */
  readonly packed: readonly string[];

  constructor() {
    const packing = this.#expectDone("npm", ["pack", "--json", "--pack-destination", this.#root], REPOSITORY);
    const [tarball] = JSON.parse(packing) as [{ filename: string; files: { path: string }[] }];
    this.packed = tarball.files.map((file) => file.path);
    mkdirSync(this.folder);
    writeFileSync(join(this.folder, "package.json"), JSON.stringify({ type: "module", private: true }));
    // A request that hangs is made again, before the whole install counts as hung.
    const options = ["--omit=dev", "--no-audit", "--no-fund", "--fetch-timeout=60000"];
    this.#expectDone("npm", ["install", ...options, join(this.#root, tarball.filename)], this.folder);
  }

  /** Runs a program in the project, without what npm tells the programs that it starts. */
  run(program: string, args: string[], env: NodeJS.ProcessEnv = {}, cwd = this.folder): Ran {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd,
      env: { ...outsideNpm(process.env), ...env },
      encoding: "utf8",
      timeout: COMMAND_TIMEOUT_MS,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (error !== undefined) throw error;
    return { exit: status, stdout, stderr };
  }

  /** Runs the installed `chartseal` command. */
  chartseal(...args: string[]): Ran {
    return this.run("node_modules/.bin/chartseal", args);
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #expectDone(program: string, args: string[], cwd: string): string {
    const { exit, stdout, stderr } = this.run(program, args, {}, cwd);
    if (exit !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${exit}: ${stderr}`);
    return stdout;
  }
}

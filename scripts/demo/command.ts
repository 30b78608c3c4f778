// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const NODE = ["--disable-warning=ExperimentalWarning", "--import", "tsx", CLI];

/** Answer of one `chartseal` process. */
export interface Answer {
  exit: number;
  /** What it printed as JSON; undefined when it printed none. */
  json: any;
  /** Its error, as JSON. */
  error: { code: string; message: string; values: Record<string, unknown> } | undefined;
  text: string;
}

/** One hospital's folder: every command is a process of its own, with this hospital's vault. */
export class Member {
  readonly folder: string;
  /** File that unlocks its vault: what a systemd credential is in a hospital. */
  readonly passphrase: string;

  constructor(folder: string) {
    this.folder = folder;
    this.passphrase = `${folder}.passphrase`;
  }

  /** Runs `chartseal <args> --json` as this member. */
  async run(args: string[]): Promise<Answer> {
    return await chartseal([...args, ...this.#unlocked(), "--json"]);
  }

  /** The same, with the command's own progress line on the terminal: count, rate, part and time left. */
  async watch(args: string[]): Promise<Answer> {
    return await chartseal([...args, ...this.#unlocked(), "--json"], "inherit");
  }

  /** As a person would see it. */
  async show(args: string[]): Promise<string> {
    return (await chartseal([...args, ...this.#unlocked()])).text;
  }

  /** Starts a command that goes on until it is told to end; resolves once it says that it is ready. */
  async start(args: string[], onLine: (line: any) => void): Promise<ChildProcess> {
    const child = spawn(process.execPath, [...NODE, ...args, ...this.#unlocked(), "--json"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      child.on("exit", (code) => reject(new Error(`${args[0]} ended with exit code ${code}`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        const event = JSON.parse(line);
        if (event.event === "ready") resolve();
        else onLine(event);
      });
    });
    return child;
  }

  #unlocked(): string[] {
    return ["--config", `${this.folder}/chartseal.json`, "--passphrase-file", this.passphrase];
  }
}

/** Runs one `chartseal` process to its end. With `inherit`, what it says besides its answer goes to the terminal. */
export async function chartseal(args: string[], besides: "pipe" | "inherit" = "pipe"): Promise<Answer> {
  const child = spawn(process.execPath, [...NODE, ...args], { stdio: ["ignore", "pipe", besides] });
  const lines: string[] = [];
  let complaint = "";
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const exit = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 130)));
  return {
    exit,
    json: parsed(lines.join("\n")) ?? parsed(lines.at(-1) ?? ""),
    error: parsed(complaint.trim().split("\n").at(-1) ?? "")?.error,
    text: [...lines, complaint].join("\n").trimEnd(),
  };
}

function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

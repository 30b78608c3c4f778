// SPDX-License-Identifier: Apache-2.0
import type { Unlock } from "../vault/index.js";
import { ChartsealError } from "../errors.js";
import type { Io } from "./io.js";

/** Options that every command takes. */
export interface Globals {
  config: string;
  json?: boolean;
  passphraseFile?: string;
  passphraseFd?: string;
  /** Name, in the vault, of the key to act with. */
  as?: string;
}

/** What a command's process ends with. */
export const ExitCode = {
  DONE: 0,
  /** Refused, or a verification failed. */
  FAILED: 1,
  /** Wrong usage. */
  USAGE: 2,
  PARTLY: 3,
} as const;

/** What a command gets: its input, its output and the options that all share. */
export class Context {
  readonly io: Io;
  readonly globals: Globals;

  constructor(io: Io, globals: Globals) {
    this.io = io;
    this.globals = globals;
  }

  get json(): boolean {
    return this.globals.json === true;
  }

  /** The command's answer: an object with `--json`, else text. One call a command, or one a line. */
  print(json: object, text: string): void {
    const line = this.json ? JSON.stringify(json) : text;
    if (line !== "") this.io.stdout.write(`${line}\n`);
  }

  /** Something to know besides the answer, for people. */
  note(text: string): void {
    if (!this.json) this.io.stderr.write(`${text}\n`);
  }

  /** Where the passphrase comes from. */
  async unlock(): Promise<Unlock> {
    const { passphraseFile, passphraseFd } = this.globals;
    const { credential, fileDescriptor, prompt } = await import("../vault/index.js");
    if (passphraseFile !== undefined && passphraseFd !== undefined) {
      throw new ChartsealError("ERR_USAGE", "give --passphrase-file or --passphrase-fd, not both");
    }
    if (passphraseFile !== undefined) return credential(passphraseFile);
    if (passphraseFd === undefined) {
      const { terminal } = this.io;
      return prompt(terminal === undefined ? {} : { terminal });
    }
    if (!/^\d{1,5}$/.test(passphraseFd)) {
      throw new ChartsealError("ERR_USAGE", "--passphrase-fd takes the number of an open file descriptor", {
        hint: "chartseal ... --passphrase-fd 3 3< passphrase-file",
      });
    }
    return fileDescriptor(Number(passphraseFd));
  }
}

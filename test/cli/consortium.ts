// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import { deploy, keySigner, type Deployment } from "../../src/chain/index.js";
import { loadDeployment } from "../../src/config.js";
import type { Hex } from "../../src/crypto/index.js";
import { Vault, passphrase } from "../../src/vault/index.js";
import { createVaultFile } from "../../src/vault/vault-file.js";
import { startChain, type LocalChain } from "../support/local-chain.js";
import { chartseal, done, refused, type Outcome, type RunOptions } from "./command-line.js";

export const PASSPHRASE = "correct horse battery staple";
/** The lowest scrypt cost a vault accepts: each command opens its vault anew. */
const VAULT_COST = 2 ** 14;

export const SYSTEM = "https://hospital.example/mrn";

interface DeployOn {
  url: string;
  governance: Hex;
  file: string;
}

interface StartOptions {
  chain?: Pick<LocalChain, "url" | typeof Symbol.asyncDispose>;
  deployOn?: (on: DeployOn) => Promise<void>;
}

async function deployTo({ url, governance, file }: DeployOn): Promise<void> {
  const deployer = keySigner(Wallet.createRandom().privateKey);
  writeFileSync(file, JSON.stringify(await deploy({ url, deployer, governance, waitingTime: 3_600 })));
}

/** A chain with chartseal's contracts, and the folders of its governance and members. */
export class Consortium implements AsyncDisposable {
  readonly chain: NonNullable<StartOptions["chain"]>;
  readonly folder: string;
  readonly deployment: Deployment;
  readonly governance: Desk;
  readonly passphraseFile: string;

  private constructor(chain: Consortium["chain"], folder: string, deployment: Deployment) {
    this.chain = chain;
    this.folder = folder;
    this.deployment = deployment;
    this.passphraseFile = join(folder, "passphrase");
    this.governance = new Desk(this, "governance");
  }

  /** On a chain of its own, or on `chain`; `deployOn` makes the deployment file. */
  static async start({ chain, deployOn = deployTo }: StartOptions = {}): Promise<Consortium> {
    const on = chain ?? (await startChain());
    const folder = mkdtempSync(join(tmpdir(), "chartseal-cli-"));
    const governor = Wallet.createRandom();
    const file = join(folder, "deployment.json");
    await deployOn({ url: on.url, governance: governor.address as Hex, file });
    const consortium = new Consortium(on, folder, await loadDeployment(file));
    writeFileSync(consortium.passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
    await consortium.desk("governance", governor.privateKey as Hex);
    return consortium;
  }

  /** What `chartseal init` makes, with a vault that opens fast. */
  async desk(name: string, adminKey = Wallet.createRandom().privateKey as Hex): Promise<Desk> {
    const desk = new Desk(this, name);
    mkdirSync(desk.folder, { mode: 0o700 });
    chmodSync(desk.folder, 0o700);
    await createVaultFile(desk.path("vault.db"), passphrase(PASSPHRASE), VAULT_COST);
    using vault = await desk.vault();
    vault.putStaffKey("admin", adminKey);
    desk.admin = new Wallet(adminKey).address.toLowerCase() as Hex;
    desk.configure({});
    if (!existsSync(join(this.folder, "exchange"))) mkdirSync(join(this.folder, "exchange"));
    return desk;
  }

  /** A member that has joined, with these keys of staff: their names are their roles', in lower case. */
  async member(name: string, ...roles: string[]): Promise<Desk> {
    const desk = await this.desk(name);
    const { json } = await this.governance.done(
      "member",
      "admit",
      "--admin",
      desk.admin,
      "--name",
      name,
      "--json",
    );
    desk.id = (json as { memberId: number }).memberId;
    await desk.done("member", "join");
    for (const role of roles) await desk.done("staff", "enrol", "--name", role, "--role", role.toUpperCase());
    return desk;
  }

  /** A patient's key file, as his device's stand-in. */
  keyFile(name: string, mode = 0o600): string {
    const path = join(this.folder, name);
    writeFileSync(path, `${Wallet.createRandom().privateKey}\n`, { mode });
    chmodSync(path, mode);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.chain[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One member's folder and its command line. */
export class Desk {
  readonly folder: string;
  readonly #consortium: Consortium;
  id = 0;
  admin: Hex = "0x";

  constructor(consortium: Consortium, name: string) {
    this.#consortium = consortium;
    this.folder = join(consortium.folder, name);
  }

  get config(): string {
    return this.path("chartseal.json");
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async vault(): Promise<Vault> {
    return await Vault.open(this.path("vault.db"), passphrase(PASSPHRASE));
  }

  /** Writes chartseal.json, with other values where given. */
  configure(changes: {
    url?: string;
    deployment?: string;
    member?: object;
    exchange?: string | object;
    store?: string | object;
    path?: string;
  }): void {
    const {
      url = this.#consortium.chain.url,
      deployment = "../deployment.json",
      exchange = "../exchange",
      store = "../store",
    } = changes;
    const name = this.folder.split("/").at(-1)!;
    const member = changes.member ?? (this.id === 0 ? { name } : { id: this.id, name });
    const file = { format: 1, chain: { url, deployment }, member };
    const paths = { vault: "vault.db", journal: "journal.db", store, exchange };
    writeFileSync(changes.path ?? this.config, JSON.stringify({ ...file, ...paths }), { mode: 0o600 });
  }

  async run(...argv: string[]): Promise<Outcome> {
    return await chartseal([...argv, ...this.#globals]);
  }

  async runWith(options: RunOptions, ...argv: string[]): Promise<Outcome> {
    return await chartseal([...argv, ...this.#globals], options);
  }

  async done(...argv: string[]): Promise<Outcome> {
    return await done([...argv, ...this.#globals]);
  }

  async refused(exitCode: number, code: string, ...argv: string[]): Promise<Outcome["error"]> {
    return await refused(exitCode, code, [...argv, ...this.#globals]);
  }

  /** Runs this member's release agent while `work` runs; the agent's lines. */
  async serving<T>(
    work: (address: string) => Promise<T>,
    ...flags: string[]
  ): Promise<{ result: T; lines: Outcome["lines"] }> {
    const controller = new AbortController();
    const { promise: ready, resolve } = Promise.withResolvers<string>();
    const onLine = (line: string) => {
      const { event, address = "" } = JSON.parse(line) as { event: string; address?: string };
      if (event === "ready") resolve(address);
    };
    const agent = this.runWith({ signal: controller.signal, onLine }, "release-agent", ...flags, "--json");
    let result: T;
    try {
      const address = await Promise.race([ready, agent.then(() => "")]);
      result = await work(address);
    } finally {
      controller.abort();
      await agent;
    }
    return { result, lines: (await agent).lines };
  }

  get #globals(): string[] {
    return ["--config", this.config, "--passphrase-file", this.#consortium.passphraseFile];
  }
}

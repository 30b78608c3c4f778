// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet, id } from "ethers";
import { Chain, Writer, deploy, keySigner, type Deployment, type Role } from "../../src/chain/index.js";
import { Chartseal } from "../../src/chartseal.js";
import type { Hex } from "../../src/crypto/index.js";
import { Members } from "../../src/members/index.js";
import type { Activity } from "../../src/members/suspension.js";
import { Vault, passphrase, type PatientIdentifier } from "../../src/vault/index.js";
import { createVaultFile } from "../../src/vault/vault-file.js";
import { startChain, type LocalChain, type LocalChainOptions } from "./local-chain.js";

/** Of every hospital's vault. */
export const PASSPHRASE = "correct horse battery staple";
/** The lowest scrypt cost a vault accepts. */
export const VAULT_COST = 2 ** 14;
/** Opens every hospital's vault. */
export const UNLOCK = passphrase(PASSPHRASE);
const STAFF: Readonly<Record<string, Role>> = {
  operator: "OPERATOR",
  releaser: "RELEASER",
  clinician: "CLINICIAN",
};
const NOT_AFTER = new Date("2099-12-31");

/** A chain with chartseal's contracts, and a folder for its hospitals. */
export class Consortium implements AsyncDisposable {
  readonly chain: LocalChain;
  readonly folder: string;
  readonly deployment: Deployment;
  readonly #governance: Writer;
  readonly #governed: Chain;

  private constructor(chain: LocalChain, folder: string, deployment: Deployment, governor: Wallet) {
    this.chain = chain;
    this.folder = folder;
    this.deployment = deployment;
    this.#governed = Chain.open({ url: chain.url, deployment });
    this.#governance = new Writer(this.#governed, keySigner(governor.privateKey));
  }

  static async start(options: LocalChainOptions = {}): Promise<Consortium> {
    const chain = await startChain(options);
    const folder = mkdtempSync(join(tmpdir(), "chartseal-ingest-"));
    const governor = new Wallet(Wallet.createRandom().privateKey);
    const deployment = await deploy({
      url: chain.url,
      deployer: keySigner(Wallet.createRandom().privateKey),
      governance: governor.address as Hex,
      waitingTime: 3_600,
    });
    writeFileSync(join(folder, "deployment.json"), JSON.stringify(deployment));
    return new Consortium(chain, folder, deployment, governor);
  }

  /** A new member with a folder, a vault and staff of its own. `chainUrl` puts something between it and its node. */
  async hospital(name: string, chainUrl = this.chain.url): Promise<Hospital> {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    await createVaultFile(join(folder, "vault.db"), passphrase(PASSPHRASE), VAULT_COST);
    const members = new Members(this.#governed);
    using vault = await Vault.open(join(folder, "vault.db"), passphrase(PASSPHRASE));
    const admin = keySigner(Wallet.createRandom().privateKey);
    const memberId = await members.admit(this.#governance, admin.address, name);
    const adminWriter = new Writer(this.#governed, admin);
    for (const [role, bit] of Object.entries(STAFF)) {
      const key = Wallet.createRandom().privateKey as Hex;
      vault.putStaffKey(role, key);
      const account = keySigner(key).address;
      const staff = { account, roles: [bit], notAfter: NOT_AFTER, personId: id(name + role) as Hex };
      await members.enrolStaff(adminWriter, memberId, staff);
    }
    await members.publishKey(adminWriter, memberId, vault);
    const config = {
      format: 1,
      chain: { url: chainUrl, deployment: "../deployment.json" },
      member: { id: memberId, name },
      vault: "vault.db",
      journal: "journal.db",
      store: "../store",
      exchange: "../exchange",
    };
    writeFileSync(join(folder, "chartseal.json"), JSON.stringify(config));
    return { folder, memberId, admin: adminWriter, config: join(folder, "chartseal.json") };
  }

  /** What governance forbids a member from now on; nothing: all is allowed again. */
  async suspend({ memberId }: Hospital, ...activities: Activity[]): Promise<void> {
    await new Members(this.#governed).setSuspension(this.#governance, memberId, activities);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#governed[Symbol.dispose]();
    await this.chain[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Hospital {
  folder: string;
  memberId: number;
  admin: Writer;
  /** Path of its chartseal.json. */
  config: string;
}

export async function openHospital({ config }: Pick<Hospital, "config">): Promise<Chartseal> {
  return await Chartseal.open(config, { unlock: passphrase(PASSPHRASE) });
}

/** Enrols a patient without a device under `Patient/<id>`, and the administrative id. */
export async function enrol(hospital: Chartseal, ...ids: string[]): Promise<Hex[]> {
  const patients: Hex[] = [];
  for (const value of ids) patients.push(await enrolAs(hospital, { system: "fhir:Patient", value }));
  await hospital.patients.administrative();
  return patients;
}

export async function enrolAs(hospital: Chartseal, ...identifiers: PatientIdentifier[]): Promise<Hex> {
  return await hospital.patients.enrol({ identifiers });
}

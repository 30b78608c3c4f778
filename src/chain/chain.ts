// SPDX-License-Identifier: Apache-2.0
import type { JsonRpcProvider } from "ethers";
import {
  AccessLog__factory,
  BreakGlass__factory,
  ConsentRegistry__factory,
  LegalOrders__factory,
  MemberRegistry__factory,
  PatientRegistry__factory,
  RecordRegistry__factory,
  type AccessLog,
  type BreakGlass,
  type ConsentRegistry,
  type LegalOrders,
  type MemberRegistry,
  type PatientRegistry,
  type RecordRegistry,
} from "./factories.js";
import { ChartsealError, type ErrorCode } from "../errors.js";
import { chainError } from "./contract-error.js";
import type { Deployment } from "./deployment.js";
import { openProvider } from "./provider.js";

/** QBFT with two of four validators down halts and resumes a minute after: a client waits minutes, not seconds. */
const CONFIRMATION_TIMEOUT_MS = 5 * 60_000;
const CONTRACTS = [
  "passkeys",
  "members",
  "patients",
  "records",
  "consents",
  "orders",
  "emergencies",
  "accessLog",
] as const;

export interface ChainOptions {
  /** JSON-RPC endpoint of the member's own node. */
  url: string;
  deployment: Deployment;
  /** Blocks that an access must be deep, its own included, before a key leaves. Default 1. */
  confirmations?: number;
  /** Milliseconds until a call to the node counts as unanswered. Default 30 s. */
  callTimeoutMs?: number;
  /** Milliseconds that a transaction may take until it is mined. Default 5 minutes. */
  confirmationTimeoutMs?: number;
}

/** Typed access to one consortium's contracts through one node. */
export class Chain implements Disposable {
  readonly provider: JsonRpcProvider;
  readonly deployment: Deployment;
  readonly members: MemberRegistry;
  readonly patients: PatientRegistry;
  readonly records: RecordRegistry;
  readonly consents: ConsentRegistry;
  readonly orders: LegalOrders;
  readonly emergencies: BreakGlass;
  readonly accessLog: AccessLog;
  /** Milliseconds that a transaction may take until it is mined. */
  readonly confirmationTimeoutMs: number;
  /** Blocks that an access must be deep, its own included, before a key leaves. */
  readonly confirmations: number;
  /** As `records`, for a question about each of very many entries: see {@link openProvider}. */
  readonly recordsInBulk: RecordRegistry;
  readonly #bulk: JsonRpcProvider;

  private constructor({
    url,
    deployment,
    confirmations,
    callTimeoutMs,
    confirmationTimeoutMs,
  }: ChainOptions) {
    const provider = openProvider(url, deployment.chainId, callTimeoutMs);
    this.provider = provider;
    this.#bulk = openProvider(url, deployment.chainId, callTimeoutMs, true);
    this.deployment = deployment;
    this.confirmations = confirmations ?? 1;
    this.confirmationTimeoutMs = confirmationTimeoutMs ?? CONFIRMATION_TIMEOUT_MS;
    this.members = MemberRegistry__factory.connect(deployment.members, provider);
    this.patients = PatientRegistry__factory.connect(deployment.patients, provider);
    this.records = RecordRegistry__factory.connect(deployment.records, provider);
    this.recordsInBulk = RecordRegistry__factory.connect(deployment.records, this.#bulk);
    this.consents = ConsentRegistry__factory.connect(deployment.consents, provider);
    this.orders = LegalOrders__factory.connect(deployment.orders, provider);
    this.emergencies = BreakGlass__factory.connect(deployment.emergencies, provider);
    this.accessLog = AccessLog__factory.connect(deployment.accessLog, provider);
  }

  get chainId(): bigint {
    return BigInt(this.deployment.chainId);
  }

  /** Connects lazily: the node is first asked by the first call. {@link check} asks at once. */
  static open(options: ChainOptions): Chain {
    return new Chain(options);
  }

  /**
   * Asks the node whether it is on the configured chain, and whether the deployment's contracts are there and belong
   * together.
   * @throws ERR_CHAIN_MISMATCH naming what differs, ERR_RPC_UNAVAILABLE
   */
  async check(): Promise<void> {
    const { chainId } = this.deployment;
    const found = await this.ask(() => this.provider.send("eth_chainId", []) as Promise<unknown>);
    if (Number(found) !== chainId) {
      throw new ChartsealError(
        "ERR_CHAIN_MISMATCH",
        `the node is on chain ${Number(found)}, not on ${chainId}`,
        {
          values: { found: Number(found), expected: chainId },
          hint: "point chain.url at a node of your consortium",
        },
      );
    }
    await Promise.all(CONTRACTS.map((contract) => this.#requireCode(contract)));
    await this.#requireWiring();
  }

  /**
   * Runs one question to the node, its errors made ours.
   * @throws ERR_RPC_UNAVAILABLE (retryable), ERR_CHAIN_MISMATCH when a contract is missing, ERR_USAGE for a value that
   * the contract's function does not take, `refusedAs` when the contract reverts
   */
  async ask<T>(question: () => Promise<T>, refusedAs: ErrorCode = "ERR_CHAIN_REFUSED"): Promise<T> {
    try {
      return await question();
    } catch (error) {
      throw chainError(error, refusedAs);
    }
  }

  /**
   * The newest block's time in Unix seconds: what contracts go by. Our own clock may be ahead of it.
   * @throws ERR_RPC_UNAVAILABLE (retryable)
   */
  async time(): Promise<number> {
    const block = await this.ask(() => this.provider.getBlock("latest"));
    if (block !== null) return block.timestamp;
    throw new ChartsealError("ERR_RPC_UNAVAILABLE", "the chain's node shows no block", { retryable: true });
  }

  async #requireCode(contract: (typeof CONTRACTS)[number]): Promise<void> {
    const address = this.deployment[contract];
    const code = await this.ask(
      () => this.provider.send("eth_getCode", [address, "latest"]) as Promise<unknown>,
    );
    if (typeof code === "string" && code.length > 2) return;
    throw new ChartsealError("ERR_CHAIN_MISMATCH", `there is no contract at ${address} (${contract})`, {
      values: { contract, address },
      hint: "the node's chain was reset, or the deployment file is another consortium's",
    });
  }

  /** Addresses mixed from two deployments would check one consortium's grants and read another's log. */
  async #requireWiring(): Promise<void> {
    const { members, patients, records, consents, orders, emergencies, accessLog } = this;
    const wires = [
      ["members", "authority", () => members.authority()],
      ["patients", "members", () => patients.MEMBERS()],
      ["patients", "passkeys", () => patients.PASSKEY_VERIFIER()],
      ["records", "members", () => records.MEMBERS()],
      ["records", "patients", () => records.PATIENT_REGISTRY()],
      ["consents", "members", () => consents.MEMBERS()],
      ["consents", "patients", () => consents.PATIENT_REGISTRY()],
      ["consents", "records", () => consents.RECORDS()],
      ["orders", "members", () => orders.MEMBERS()],
      ["orders", "patients", () => orders.PATIENT_REGISTRY()],
      ["orders", "records", () => orders.RECORDS()],
      ["emergencies", "members", () => emergencies.MEMBERS()],
      ["emergencies", "patients", () => emergencies.PATIENT_REGISTRY()],
      ["emergencies", "consents", () => emergencies.CONSENTS()],
      ["accessLog", "members", () => accessLog.MEMBERS()],
      ["accessLog", "records", () => accessLog.RECORDS()],
      ["accessLog", "patients", () => accessLog.PATIENT_REGISTRY()],
      ["accessLog", "consents", () => accessLog.CONSENTS()],
      ["accessLog", "orders", () => accessLog.ORDERS()],
      ["accessLog", "emergencies", () => accessLog.BREAK_GLASS()],
    ] as const;
    const found = await Promise.all(wires.map(([, , address]) => this.ask(address)));
    for (const [position, [contract, part]] of wires.entries()) {
      const expected = this.deployment[part];
      const address = found[position]?.toLowerCase() ?? "";
      if (address === expected) continue;
      throw new ChartsealError(
        "ERR_CHAIN_MISMATCH",
        `${contract} works with ${part} at ${address}, not ${expected}`,
        {
          values: { contract, part, found: address, expected },
          hint: "the deployment file mixes two deployments; take it whole from your consortium",
        },
      );
    }
  }

  [Symbol.dispose](): void {
    this.provider.destroy();
    this.#bulk.destroy();
  }
}

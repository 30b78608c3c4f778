// SPDX-License-Identifier: Apache-2.0
import { FetchRequest, JsonRpcProvider, Network } from "ethers";
import {
  AccessLog__factory,
  ConsentRegistry__factory,
  MemberRegistry__factory,
  PatientRegistry__factory,
  RecordRegistry__factory,
  type AccessLog,
  type ConsentRegistry,
  type MemberRegistry,
  type PatientRegistry,
  type RecordRegistry,
} from "../../typechain-types/index.js";
import { ChartsealError, type ErrorCode } from "../errors.js";
import { chainError } from "./contract-error.js";
import type { Deployment } from "./deployment.js";

/** Milliseconds until a call to the node counts as unanswered. */
const CALL_TIMEOUT_MS = 30_000;

export interface ChainOptions {
  /** JSON-RPC endpoint of the member's own node. */
  url: string;
  deployment: Deployment;
}

/** A provider for `url` that asks nobody else and gives up after 30 s. */
export function openProvider(url: string, chainId: number): JsonRpcProvider {
  const request = new FetchRequest(url);
  request.timeout = CALL_TIMEOUT_MS;
  request.setThrottleParams({ maxAttempts: 1 });
  return new JsonRpcProvider(request, undefined, {
    staticNetwork: Network.from(chainId),
    batchMaxCount: 1,
    // Without it ethers answers repeated calls from memory for 250 ms: stale after our own transaction.
    cacheTimeout: -1,
  });
}

/** Typed access to one consortium's contracts through one node. */
export class Chain implements Disposable {
  readonly provider: JsonRpcProvider;
  readonly deployment: Deployment;
  readonly members: MemberRegistry;
  readonly patients: PatientRegistry;
  readonly records: RecordRegistry;
  readonly consents: ConsentRegistry;
  readonly accessLog: AccessLog;

  private constructor(provider: JsonRpcProvider, deployment: Deployment) {
    this.provider = provider;
    this.deployment = deployment;
    this.members = MemberRegistry__factory.connect(deployment.members, provider);
    this.patients = PatientRegistry__factory.connect(deployment.patients, provider);
    this.records = RecordRegistry__factory.connect(deployment.records, provider);
    this.consents = ConsentRegistry__factory.connect(deployment.consents, provider);
    this.accessLog = AccessLog__factory.connect(deployment.accessLog, provider);
  }

  get chainId(): bigint {
    return BigInt(this.deployment.chainId);
  }

  /** Connects lazily: the node is first asked by the first call. {@link check} asks at once. */
  static open(options: ChainOptions): Chain {
    return new Chain(openProvider(options.url, options.deployment.chainId), options.deployment);
  }

  /**
   * Asks the node whether it is on the configured chain and holds the contracts.
   * @throws ERR_CHAIN_MISMATCH, ERR_RPC_UNAVAILABLE
   */
  async check(): Promise<void> {
    const { chainId, accessLog } = this.deployment;
    const found = await this.ask(() => this.provider.send("eth_chainId", []) as Promise<string>);
    if (Number(found) !== chainId) {
      throw new ChartsealError("ERR_CHAIN_MISMATCH", `the node is on chain ${Number(found)}, not on ${chainId}`, {
        values: { found: Number(found), expected: chainId },
        hint: "point chain.url at a node of your consortium",
      });
    }
    const code = await this.ask(() => this.provider.getCode(accessLog));
    if (code === "0x") {
      throw new ChartsealError("ERR_CHAIN_MISMATCH", `there is no contract at ${accessLog}`, {
        values: { address: accessLog },
        hint: "the node's chain was reset, or the deployment file is another consortium's",
      });
    }
  }

  /** Runs one question to the node, its errors made ours. */
  async ask<T>(question: () => Promise<T>, refusedAs: ErrorCode = "ERR_CHAIN_REFUSED"): Promise<T> {
    try {
      return await question();
    } catch (error) {
      throw chainError(error, refusedAs);
    }
  }

  [Symbol.dispose](): void {
    this.provider.destroy();
  }
}

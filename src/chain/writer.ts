// SPDX-License-Identifier: Apache-2.0
import { keccak256, Transaction, type ContractTransaction, type TransactionReceipt } from "ethers";
import type { Hex } from "../crypto/index.js";
import { ChartsealError, type ErrorCode } from "../errors.js";
import type { Chain } from "./chain.js";
import { chainError } from "./contract-error.js";
import type { StaffSigner } from "./staff-signer.js";

/** Room above the node's estimate: state may change between estimate and block. */
const GAS_HEADROOM = 1.25;
/** QBFT with two of four validators down halts and resumes a minute after: a client waits minutes, not seconds. */
const CONFIRMATION_TIMEOUT_MS = 5 * 60_000;
const FIRST_POLL_MS = 20;
const LAST_POLL_MS = 500;
/** How often a nonce that another process took is replaced before giving up. */
const NONCE_TRIES = 5;

export interface SignedTransaction {
  raw: Hex;
  hash: Hex;
  nonce: number;
}

/** A contract call as typechain's `populateTransaction` gives it. */
export type Call = Pick<ContractTransaction, "to" | "data">;

/**
 * Sends one account's transactions on a zero-fee chain and owns its nonces: it counts from the mined nonce and what
 * it signed itself, never from the node's pending count, which skips gaps.
 */
export class Writer {
  readonly #chain: Chain;
  readonly #signer: StaffSigner;
  #nextNonce = 0;

  constructor(chain: Chain, signer: StaffSigner) {
    this.#chain = chain;
    this.#signer = signer;
  }

  get address(): Hex {
    return this.#signer.address;
  }

  /** Signs without sending, so that the caller can first make the transaction durable. */
  async sign(call: Call, gasLimit: bigint): Promise<SignedTransaction> {
    const mined = await this.#chain.ask(() => this.#chain.provider.getTransactionCount(this.address, "latest"));
    const nonce = Math.max(mined, this.#nextNonce);
    this.#nextNonce = nonce + 1;
    const raw = await this.#signer.signTransaction({
      type: 0, // a zero-fee chain has no base fee to name
      chainId: this.#chain.chainId,
      to: call.to,
      data: call.data,
      gasPrice: 0,
      gasLimit,
      nonce,
      value: 0,
    });
    return { raw: raw as Hex, hash: keccak256(raw) as Hex, nonce };
  }

  /**
   * Sends a signed transaction. Sending it again is fine: a node that knows it says so, which counts as sent.
   * @throws ERR_CHAIN_REFUSED with `values.reason` NONCE_USED when another transaction took its nonce
   */
  async send(raw: Hex): Promise<void> {
    try {
      await this.#chain.provider.send("eth_sendRawTransaction", [raw]);
    } catch (error) {
      const text = nodeMessage(error);
      if (/already known|known transaction|already imported/i.test(text)) return;
      if (/nonce.*(too low|below|already)|nonce_too_low|invalid.*nonce/i.test(text)) {
        this.forgetNonces();
        const hash = keccak256(raw);
        const mined = await this.#chain.ask(() => this.#chain.provider.getTransactionReceipt(hash));
        if (mined !== null) return;
        throw new ChartsealError("ERR_CHAIN_REFUSED", "another transaction of this account took the nonce", {
          values: { reason: "NONCE_USED", nonce: Transaction.from(raw).nonce },
          retryable: true,
          cause: error,
        });
      }
      throw chainError(error);
    }
  }

  /** After a refusal the nonces signed but not mined are free again. */
  forgetNonces(): void {
    this.#nextNonce = 0;
  }

  /**
   * Signs, sends and waits.
   * @throws ERR_CHAIN_REFUSED (or `refusedAs`) with the contract's reason, ERR_RPC_UNAVAILABLE, ERR_TIMEOUT
   */
  async execute(call: Call, refusedAs: ErrorCode = "ERR_CHAIN_REFUSED"): Promise<TransactionReceipt> {
    const request = { to: call.to, data: call.data, from: this.address, gasPrice: 0 };
    const estimate = await this.#chain.ask(() => this.#chain.provider.estimateGas(request), refusedAs);
    const gasLimit = BigInt(Math.ceil(Number(estimate) * GAS_HEADROOM));
    for (let tries = 1; ; tries++) {
      const signed = await this.sign(call, gasLimit);
      try {
        await this.send(signed.raw);
      } catch (error) {
        const taken = error instanceof ChartsealError && error.values["reason"] === "NONCE_USED";
        if (taken && tries < NONCE_TRIES) continue;
        this.forgetNonces();
        throw error;
      }
      const receipt = await waitForReceipt(this.#chain, signed.hash);
      if (receipt.status === 1) return receipt;
      throw await this.#reverted(call, receipt, refusedAs);
    }
  }

  async #reverted(call: Call, receipt: TransactionReceipt, code: ErrorCode): Promise<ChartsealError> {
    const { from, blockNumber } = receipt;
    try {
      await this.#chain.provider.call({ to: call.to, data: call.data, from, blockTag: blockNumber });
    } catch (error) {
      return chainError(error, code);
    }
    return new ChartsealError(code, "the transaction was reverted", { values: { transaction: receipt.hash } });
  }
}

/**
 * Waits until a transaction is mined.
 * @throws ERR_TIMEOUT (retryable) after 5 minutes, or the signal's reason
 */
export async function waitForReceipt(
  chain: Chain,
  hash: string,
  signal?: AbortSignal,
): Promise<TransactionReceipt> {
  const giveUp = performance.now() + CONFIRMATION_TIMEOUT_MS;
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 1.5, LAST_POLL_MS)) {
    signal?.throwIfAborted();
    const receipt = await chain.ask(() => chain.provider.getTransactionReceipt(hash));
    if (receipt !== null) return receipt;
    if (performance.now() > giveUp) {
      throw new ChartsealError("ERR_TIMEOUT", `transaction ${hash} was not mined within 5 minutes`, {
        values: { transaction: hash },
        hint: "check that the chain makes blocks; the transaction may still be mined",
        retryable: true,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function nodeMessage(error: unknown): string {
  const { error: inner, info, shortMessage, message } = error as {
    error?: { message?: string };
    info?: { error?: { message?: string } };
    shortMessage?: string;
    message?: string;
  };
  const { code } = error as { code?: string };
  return [code, inner?.message, info?.error?.message, shortMessage, message].join(" ");
}

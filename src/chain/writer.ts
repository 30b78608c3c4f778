// SPDX-License-Identifier: Apache-2.0
import { keccak256, Transaction, type ContractTransaction, type TransactionReceipt } from "ethers";
import type { Hex } from "../crypto/index.js";
import { ChartsealError, type ErrorCode } from "../errors.js";
import type { Chain } from "./chain.js";
import { chainError } from "./contract-error.js";
import { nodeFault } from "./node-fault.js";
import { poll } from "./receipt-wait.js";
import type { StaffSigner } from "./staff-signer.js";

/** Room above the node's estimate: state may change between estimate and block. */
const GAS_HEADROOM = 1.25;
/** Milliseconds by which a node may show a receipt later than the nonce that its transaction used. */
const RECEIPT_LAG_MS = 2_000;
/** How often a nonce that another process took is replaced before giving up. */
const NONCE_TRIES = 10;
/** Milliseconds after which an unmined transaction is sent again: a node may have dropped it. */
const RESEND_AFTER_MS = 30_000;

export interface SignedTransaction {
  raw: Hex;
  hash: Hex;
  nonce: number;
}

/** A contract call as typechain's `populateTransaction` gives it; `to` is null to create a contract. */
export interface Call {
  to: ContractTransaction["to"] | null;
  data: ContractTransaction["data"];
}

/**
 * Sends one account's transactions on a zero-fee chain and owns its nonces: it counts from the mined nonce and what
 * it signed itself, never from the node's pending count, which skips gaps. Several processes may share an account:
 * who loses a nonce to another takes the next.
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
    const nonce = Math.max(await this.#minedNonces(), this.#nextNonce);
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
      const { nodeMessage = "" } = nodeFault(error);
      if (/already known|known transaction|already imported/i.test(nodeMessage)) return;
      // Besu, Geth, Hardhat and anvil, for a nonce that is mined; and for one that another transaction waits with.
      if (!/nonce.*(too low|below|already)|underpriced/i.test(nodeMessage)) throw chainError(error);
      this.forgetNonces();
      if ((await this.#receipt(keccak256(raw))) !== undefined) return;
      throw nonceUsed(Transaction.from(raw).nonce, error);
    }
  }

  /** After a refusal the nonces signed but not mined are free again. */
  forgetNonces(): void {
    this.#nextNonce = 0;
  }

  /**
   * Signs, sends and waits.
   * @throws ERR_CHAIN_REFUSED (or `refusedAs`) with the contract's reason; ERR_RPC_UNAVAILABLE and ERR_TIMEOUT, after
   * which the transaction in `values.transaction`, if there is one, may still be mined
   */
  async execute(call: Call, refusedAs: ErrorCode = "ERR_CHAIN_REFUSED"): Promise<TransactionReceipt> {
    const request = { to: call.to, data: call.data, from: this.address, gasPrice: 0 };
    const estimate = await this.#chain.ask(() => this.#chain.provider.estimateGas(request), refusedAs);
    const gasLimit = BigInt(Math.ceil(Number(estimate) * GAS_HEADROOM));
    for (let tries = 1; ; tries++) {
      const signed = await this.sign(call, gasLimit);
      const receipt = await this.#carryOut(signed);
      if (receipt === undefined && tries === NONCE_TRIES) throw nonceUsed(signed.nonce);
      if (receipt === undefined) continue;
      if (receipt.status === 1) return receipt;
      throw await this.#reverted(call, receipt, refusedAs);
    }
  }

  /** @returns undefined when another transaction was mined with its nonce, so that this one never will be */
  async #carryOut(signed: SignedTransaction): Promise<TransactionReceipt | undefined> {
    try {
      await this.send(signed.raw).catch((error: unknown) => {
        // Also when the other one still waits: either of the two will be mined.
        if (!isNonceUsed(error)) throw error;
      });
      let sentAt = performance.now();
      const { receipt } = await poll(this.#chain, signed.hash, async () => {
        if (performance.now() - sentAt > RESEND_AFTER_MS) {
          sentAt = performance.now();
          await this.send(signed.raw).catch(() => {});
        }
        return await this.#outcome(signed);
      });
      if (receipt === undefined) this.forgetNonces();
      return receipt;
    } catch (error) {
      this.forgetNonces();
      throw withTransaction(error, signed.hash);
    }
  }

  async #outcome({ hash, nonce }: SignedTransaction): Promise<{ receipt?: TransactionReceipt } | undefined> {
    const receipt = await this.#receipt(hash);
    if (receipt !== undefined) return { receipt };
    if ((await this.#minedNonces()) <= nonce) return undefined;
    // It may have been mined between the two questions, and a node may count a nonce before it shows the receipt:
    // to call the transaction lost then would carry the call out twice.
    const giveUp = performance.now() + RECEIPT_LAG_MS;
    for (;;) {
      const late = await this.#receipt(hash);
      if (late !== undefined) return { receipt: late };
      if (performance.now() > giveUp) return {};
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #receipt(hash: string): Promise<TransactionReceipt | undefined> {
    return (await this.#chain.ask(() => this.#chain.provider.getTransactionReceipt(hash))) ?? undefined;
  }

  async #minedNonces(): Promise<number> {
    return await this.#chain.ask(() => this.#chain.provider.getTransactionCount(this.address, "latest"));
  }

  async #reverted(call: Call, receipt: TransactionReceipt, code: ErrorCode): Promise<ChartsealError> {
    const { from, blockNumber } = receipt;
    try {
      await this.#chain.provider.call({ to: call.to, data: call.data, from, blockTag: blockNumber });
    } catch (error) {
      const refusal = chainError(error, code);
      if (refusal.values["reason"] !== undefined) return refusal;
    }
    return new ChartsealError(code, "the transaction was reverted", {
      values: { transaction: receipt.hash },
    });
  }
}

function isNonceUsed(error: unknown): boolean {
  return error instanceof ChartsealError && error.values["reason"] === "NONCE_USED";
}

function nonceUsed(nonce: number, cause?: unknown): ChartsealError {
  return new ChartsealError("ERR_CHAIN_REFUSED", "another transaction of this account took the nonce", {
    values: { reason: "NONCE_USED", nonce },
    retryable: true,
    cause,
  });
}

/** Once it was signed and perhaps sent, the caller must be able to look whether it was mined. */
function withTransaction(error: unknown, transaction: Hex): unknown {
  if (!(error instanceof ChartsealError) || error.code !== "ERR_RPC_UNAVAILABLE") return error;
  return new ChartsealError(error.code, error.message, {
    values: { ...error.values, transaction },
    hint: "the transaction may have been sent; look at the chain before you try again",
    retryable: true,
    cause: error,
  });
}

// SPDX-License-Identifier: Apache-2.0
import { Wallet, type TransactionRequest, type TypedDataDomain, type TypedDataField } from "ethers";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";

/** Signs for one account. A key in the vault, a remote signer or a KMS can stand behind it. */
export interface StaffSigner {
  readonly address: Hex;
  /** @returns the signed raw transaction */
  signTransaction(transaction: TransactionRequest): Promise<string>;
  /** EIP-712. */
  signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string>;
}

/**
 * A signer over a private key held in memory.
 * @param privateKey 32 bytes as hex
 * @throws ERR_KEY_INVALID (without the key in it)
 */
export function keySigner(privateKey: string): StaffSigner {
  let wallet: Wallet;
  try {
    wallet = new Wallet(privateKey);
  } catch {
    throw new ChartsealError("ERR_KEY_INVALID", "not a private key: 32 bytes as hex are needed");
  }
  return {
    address: wallet.address as Hex,
    signTransaction: (transaction) => wallet.signTransaction(transaction),
    signTypedData: (domain, types, value) => wallet.signTypedData(domain, types, value),
  };
}

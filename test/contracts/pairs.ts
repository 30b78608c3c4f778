// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { TypedDataDomain, TypedDataField } from "ethers";
import { YEAR, domain, now } from "./consortium.js";

/** What two persons do together: the second signs `value`, completed by the first's account and a deadline. */
export interface PairAct {
  contract: { getAddress(): Promise<string> };
  /** Of the contract, as its EIP-712 domain has it. */
  name: string;
  types: Record<string, TypedDataField[]>;
  /** Which of the fields holds the first's account; none: the second signs for whoever sends. */
  firstField?: "first" | "initiator" | "none";
  value: Record<string, unknown>;
}

/** The second person, as the contracts take him. */
export interface TestCosigner {
  account: string;
  deadline: number;
  signature: string;
}

/** What may be otherwise than: the act's own two persons, a year's deadline, an honest signature. */
export interface PairChanges {
  first?: HardhatEthersSigner;
  second?: HardhatEthersSigner;
  /** Whom the second names, if not who sends. */
  named?: string;
  /** Who signs, if not the second. */
  key?: Pick<HardhatEthersSigner, "signTypedData">;
  /** The second's account, if it does not sign for itself. */
  account?: string;
  deadline?: number;
  /** The deadline that is sent, if not the signed one. */
  sentDeadline?: number;
  domain?: TypedDataDomain;
  /** Fields that the second signed otherwise. */
  signed?: Record<string, unknown>;
  forge?: (signature: string) => string;
}

export async function cosign(
  { contract, name, types, value, firstField = "first" }: PairAct,
  pair: { first: HardhatEthersSigner; second: HardhatEthersSigner },
  changes: PairChanges = {},
): Promise<TestCosigner> {
  const [first, second] = [changes.first ?? pair.first, changes.second ?? pair.second];
  const named = firstField === "none" ? {} : { [firstField]: changes.named ?? first.address };
  const deadline = changes.deadline ?? (await now()) + YEAR;
  const signature = await (changes.key ?? second).signTypedData(
    { ...(await domain(contract, name)), ...changes.domain },
    types,
    { ...value, ...named, deadline, ...changes.signed },
  );
  return {
    account: changes.account ?? second.address,
    deadline: changes.sentDeadline ?? deadline,
    signature: changes.forge?.(signature) ?? signature,
  };
}

// SPDX-License-Identifier: Apache-2.0
import type { BaseContract } from "ethers";
import type { Act, ActOf, Signature } from "./acts.js";
import type { Call, ContractName, Stage } from "./stage.js";

/** Sends what anyone may send. */
export const RELAY = "stranger";

/** An act as a call, signed by all who must sign it. */
export type Encode<K extends Act["kind"]> = (stage: Stage, act: ActOf<K>, at: number) => Promise<Call> | Call;

export function call(
  stage: Stage,
  from: string,
  contract: ContractName,
  method: string,
  args: readonly unknown[],
): Call {
  const target: BaseContract = stage.contracts[contract];
  const { governance } = stage.contracts;
  const others = new Map([
    ["governance", governance.address],
    ["admin", stage.admin],
  ]);
  return {
    from: others.get(from) ?? stage.account(from).address,
    contract: target,
    data: target.interface.encodeFunctionData(method, args),
  };
}

export const one = (key: string): Signature => ({ keys: [key], together: false });

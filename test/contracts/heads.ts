// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { AbiCoder, concat, keccak256 } from "ethers";
import { ethers } from "./consortium.js";

/** A registry that keeps a head per patient. */
interface HeadKeeper {
  getAddress(): Promise<string>;
  headOf(patientId: string): Promise<bigint>;
}

// Heads.sol: the low 40 bits count, the rest is the digest.
const COUNT_MASK = (1n << 40n) - 1n;

/** How many events a head stands for. */
export function countOf(head: bigint): bigint {
  return head & COUNT_MASK;
}

/** The head as anyone recomputes it, from nothing but the contract's raw logs that name the patient. */
export async function headFromLogs(contract: HeadKeeper, patientId: string): Promise<bigint> {
  const logs = await ethers.provider.getLogs({ address: await contract.getAddress(), fromBlock: 0 });
  return logs
    .filter(({ topics }) => topics.slice(1).includes(patientId))
    .reduce((head, { topics, data }) => {
      const eventDigest = keccak256(concat([...topics, keccak256(data)]));
      const digest = BigInt(
        keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "bytes32"], [head, eventDigest])),
      );
      return (digest & ~COUNT_MASK) | (countOf(head) + 1n);
    }, 0n);
}

/** Expects that `act` moves the patient's head by so many events, and that the head equals the one from the raw logs. */
export async function expectHeadAdvance(
  contract: HeadKeeper,
  patientId: string,
  act: () => Promise<unknown>,
  events = 1,
): Promise<void> {
  const before = await contract.headOf(patientId);
  expect(before).to.equal(await headFromLogs(contract, patientId));

  await act();

  const after = await contract.headOf(patientId);
  expect(countOf(after)).to.equal(countOf(before) + BigInt(events));
  expect(after & ~COUNT_MASK).to.not.equal(before & ~COUNT_MASK);
  expect(after).to.equal(await headFromLogs(contract, patientId));
}

/** Expects that `act` neither emits an event of `contract` nor moves the patient's head. */
export async function expectNoTrace(
  contract: HeadKeeper,
  patientId: string,
  act: () => Promise<unknown>,
): Promise<void> {
  const before = await contract.headOf(patientId);
  const logs = { address: await contract.getAddress(), fromBlock: 0 };
  const logsBefore = (await ethers.provider.getLogs(logs)).length;

  await act();

  expect(await contract.headOf(patientId)).to.equal(before);
  expect(await ethers.provider.getLogs(logs)).to.have.length(logsBefore);
}

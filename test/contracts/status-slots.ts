// SPDX-License-Identifier: Apache-2.0
import { AbiCoder, keccak256, toBeHex } from "ethers";
import { networkHelpers } from "./consortium.js";
import type { Consortium } from "./consortium.js";

/** Place of `_logs` in RecordRegistry's storage, and of a log's parts behind its mapping slot. */
const LOGS_SLOT = 0n;
const STATUSES = 2n;
/** Eight bits an entry, 32 entries a slot. */
const ENTRIES_PER_SLOT = 32n;

/** Writes a log's head straight into storage: no test can anchor 2^64 entries. */
export async function writeHead(c: Consortium, memberId: number, head: bigint): Promise<void> {
  await write(c, logSlot(memberId), head);
}

/**
 * Writes an entry's flags straight into storage: what sets HELD or ERASED must not be needed to show that readers are
 * refused.
 */
export async function writeStatus(
  c: Consortium,
  memberId: number,
  index: number,
  status: number,
): Promise<void> {
  const slot = mapped(BigInt(index) / ENTRIES_PER_SLOT, logSlot(memberId) + STATUSES);
  const shift = (BigInt(index) % ENTRIES_PER_SLOT) * 8n;
  const flags = BigInt(await networkHelpers.getStorageAt(await c.records.getAddress(), slot));
  await write(c, slot, (flags & ~(0xffn << shift)) | (BigInt(status) << shift));
}

async function write(c: Consortium, slot: bigint, value: bigint): Promise<void> {
  await networkHelpers.setStorageAt(await c.records.getAddress(), toBeHex(slot, 32), value);
}

function logSlot(memberId: number): bigint {
  return mapped(BigInt(memberId), LOGS_SLOT);
}

/** Solidity's place of a mapping's value. */
function mapped(key: bigint, slot: bigint): bigint {
  return BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [key, slot])));
}

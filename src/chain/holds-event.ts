// SPDX-License-Identifier: Apache-2.0
import type { TransactionReceipt } from "ethers";

/**
 * True when a transaction wrote exactly this event.
 * @param address The contract's, in lower case
 * @param event As an interface's `encodeEventLog` gives it
 */
export function holdsEvent(
  receipt: TransactionReceipt,
  address: string,
  event: { topics: readonly (string | null | readonly (string | null)[])[]; data: string },
): boolean {
  return receipt.logs.some(
    (log) =>
      log.address.toLowerCase() === address &&
      log.data === event.data &&
      log.topics.length === event.topics.length &&
      log.topics.every((topic, position) => topic === event.topics[position]),
  );
}

// SPDX-License-Identifier: Apache-2.0

/** Flags of EntryStatus.sol, by bit. */
const FLAGS = ["SUPERSEDED", "RETRACTED", "HELD", "ERASED"] as const;

/** The names of an entry's flags; none for a plain entry. */
export function statusNames(status: number): string[] {
  return FLAGS.filter((_, bit) => (status & (1 << bit)) !== 0);
}

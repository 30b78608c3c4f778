// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { Suspicion } from "./suspicion.js";

/** The contracts that keep a head for each patient: what they logged about him can be shown complete. */
export type Registry =
  "PatientRegistry" | "ConsentRegistry" | "LegalOrders" | "BreakGlass" | "AccessLog" | "RecordRegistry";

/** Where an event is on chain. Block number, transaction and log index are as the node says: no head covers them. */
export interface Place {
  /** Unix seconds, the block's time. */
  at: number;
  blockNumber: number;
  transactionHash: Hex;
  /** Position in the block. */
  logIndex: number;
  contract: Registry;
  /** Whose compromised keys make it doubtful. Left out when nobody's do. */
  suspects?: Suspicion[];
}

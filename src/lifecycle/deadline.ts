// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";

/** Seconds for which what the patient signed may be used. */
const SIGNATURE_LIFETIME_SECONDS = 3_600;

/** Now by our clock or the chain's, whichever is ahead: an idle chain's stands still. Unix seconds. */
export async function timeOn(chain: Chain): Promise<number> {
  return Math.max(await chain.time(), Math.floor(Date.now() / 1_000));
}

/** An hour from now. Unix seconds. */
export async function deadlineOn(chain: Chain): Promise<number> {
  return (await timeOn(chain)) + SIGNATURE_LIFETIME_SECONDS;
}

// SPDX-License-Identifier: Apache-2.0
import { ChartsealError, type ErrorCode } from "../errors.js";

/** Faults of what was sent: sent again as it is, it is refused again. */
const OF_THE_CONTENT: readonly ErrorCode[] = [
  "ERR_ITEM_INVALID",
  "ERR_JSON_INVALID",
  "ERR_MESSAGE_ID_REUSED",
];

/** Why something was not taken. Nothing of it is kept here: its sender still has it. */
export interface Refusal {
  error: ChartsealError;
  /** It cannot be taken now: to be sent again later. */
  later: boolean;
}

export function refusalOf(thrown: unknown): Refusal {
  const error =
    thrown instanceof ChartsealError
      ? thrown
      : new ChartsealError("ERR_INTERNAL", "unexpected", { cause: thrown, retryable: true });
  return { error, later: !OF_THE_CONTENT.includes(error.code) };
}

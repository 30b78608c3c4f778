// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { printable } from "../printable.js";
import type { AccessEvent } from "./access-event.js";
import type { Refusal } from "./message-bodies.js";

/** Characters shown of a refusal. */
const LONGEST_REASON = 500;

/** The error for what a custodian refused, in his words. */
export function refusedBy(custodian: number, { accessId, reason }: Refusal): ChartsealError {
  return new ChartsealError(
    "ERR_CAPSULE_REFUSED",
    `the custodian refused: ${printable(reason.slice(0, LONGEST_REASON))}`,
    { values: { accessId, custodian } },
  );
}

/** The error for an access that is logged, and not served all the same. */
export function refused(
  access: Pick<AccessEvent, "accessId">,
  why: string,
  hint?: string,
  cause?: unknown,
): ChartsealError {
  return new ChartsealError("ERR_CAPSULE_REFUSED", `access ${access.accessId} is not served: ${why}`, {
    values: { accessId: access.accessId },
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

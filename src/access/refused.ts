// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { AccessEvent } from "./access-event.js";

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

// SPDX-License-Identifier: Apache-2.0
import type { AccessOptions } from "../access/index.js";
import { purposeArgument, wholeNumber } from "./arguments.js";
import type { Context } from "./context.js";

/** The options that `request` and `open` share. */
export interface AccessValues {
  purpose: string;
  timeout?: string;
}

/** From here on Ctrl-C stops the waiting for an answer. @throws ERR_USAGE */
export function accessOptions(
  { io }: Context,
  { purpose, timeout }: AccessValues,
): AccessOptions & { signal: AbortSignal } {
  return {
    purpose: purposeArgument(purpose),
    ...(timeout === undefined ? {} : { timeoutMs: 1000 * wholeNumber(timeout, "--timeout", 1) }),
    signal: io.interruption(),
  };
}

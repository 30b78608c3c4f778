// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../src/errors.js";

/** The ChartsealError that a call throws; anything else fails the test. */
export function errorOf(call: () => unknown): ChartsealError {
  try {
    call();
  } catch (error) {
    if (error instanceof ChartsealError) return error;
    throw error;
  }
  throw new Error("expected the call to throw a ChartsealError");
}

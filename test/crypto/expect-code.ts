// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";

import { ChartsealError } from "../../src/errors.js";
import type { ErrorCode } from "../../src/errors.js";

/** Runs an action that must fail with exactly this code, and returns the error. */
export async function expectCode(code: ErrorCode, action: () => unknown): Promise<ChartsealError> {
  let caught: unknown;
  try {
    await action();
  } catch (error) {
    caught = error;
  }
  if (!(caught instanceof ChartsealError)) throw new Error(`expected ${code}, got ${String(caught)}`);
  expect(caught.code).to.equal(code);
  return caught;
}

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ChartsealError, type ErrorCode } from "../../src/errors.js";

/** Expects a ChartsealError with this code, and returns it. */
export async function expectCode(code: ErrorCode, work: () => Promise<unknown>): Promise<ChartsealError> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    return checked(code, error);
  }
  return expect.fail(`expected ${code}, got ${String(result)}`);
}

export function expectCodeSync(code: ErrorCode, work: () => unknown): ChartsealError {
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    return checked(code, error);
  }
  return expect.fail(`expected ${code}, got ${String(result)}`);
}

function checked(code: ErrorCode, error: unknown): ChartsealError {
  if (!(error instanceof ChartsealError)) throw error;
  expect(error.code, error.message).to.equal(code);
  return error;
}

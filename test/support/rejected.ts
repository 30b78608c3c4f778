// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ChartsealError, type ErrorCode } from "../../src/errors.js";

/** The ChartsealError with this code that `work` rejects with. */
export async function rejected(code: ErrorCode, work: Promise<unknown>): Promise<ChartsealError> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    if (!(error instanceof ChartsealError)) throw error;
    expect(error.code, error.message).to.equal(code);
    return error;
  }
  return expect.fail(`expected ${code}, but got ${JSON.stringify(value)}`);
}

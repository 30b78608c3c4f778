// SPDX-License-Identifier: Apache-2.0
import { fromHex, type Hex, isHex } from "../crypto/bytes.js";
import { ChartsealError } from "../errors.js";

/** The 32 bytes of lower-case 0x hex; `what` names it in the error. @throws ERR_USAGE */
export function bytes32(value: Hex, what: string): Uint8Array {
  if (isHex(value, 32)) return fromHex(value);
  // The value is not repeated: it may be a private key.
  throw new ChartsealError("ERR_USAGE", `${what} is not 0x and 64 lower-case hexadecimal digits`);
}

/** @throws ERR_USAGE when `bytes` is not `length` bytes long */
export function expectLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes instanceof Uint8Array && bytes.length === length) return;
  throw new ChartsealError("ERR_USAGE", `${what} is not ${length} bytes long`, { values: { length } });
}

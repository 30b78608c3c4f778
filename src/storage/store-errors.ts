// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { UNIXFS_V1_2025 } from "./unixfs-dag.js";

/** errno names of a full disk or quota. */
const NO_SPACE = new Set(["ENOSPC", "EDQUOT"]);

/**
 * Turns an error of the file system into ours; any other error (an abort, a failing source) is returned as it is.
 * @param path what was read or written
 */
export function storeError(error: unknown, path: string): unknown {
  if (error instanceof ChartsealError) {
    return error.code === "ERR_STORE_FULL" && !error.retryable ? storeFull(path, error) : error;
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  if (NO_SPACE.has(code)) return storeFull(path, error);
  return new ChartsealError("ERR_STORE_FAILED", `${path}: ${syscall} failed with ${code}`, {
    values: { path, syscall, errno: code },
    cause: error,
  });
}

function storeFull(path: string, cause: unknown): ChartsealError {
  return new ChartsealError("ERR_STORE_FULL", `no space left for ${path}`, {
    values: { path },
    hint: "free some space, then call again",
    retryable: true,
    cause,
  });
}

/** @param block the one of its blocks that is missing, if not all are */
export function bodyMissing(cid: string, block?: string): ChartsealError {
  const what = block === undefined ? cid : `the block ${block} of ${cid}`;
  return new ChartsealError("ERR_BODY_MISSING", `this store does not hold ${what}`, {
    values: { cid, ...(block === undefined ? {} : { block }) },
  });
}

export function bodyTampered(cid: string, detail: string): ChartsealError {
  return new ChartsealError("ERR_BODY_TAMPERED", `${detail} of ${cid}`, {
    values: { cid },
    hint: "fetch the body from another replica and put it again",
  });
}

/** @param block from 0 */
export function blockTampered(cid: string, block: number, bodySize: number): ChartsealError {
  const { chunkSize } = UNIXFS_V1_2025;
  const first = block * chunkSize;
  const last = Math.max(first, Math.min(first + chunkSize, bodySize) - 1);
  return new ChartsealError(
    "ERR_BODY_TAMPERED",
    `1 MiB block ${block} (bytes ${first} to ${last}) of ${cid} differs from what was stored`,
    {
      values: { cid, block, firstByte: first, lastByte: last },
      hint: "fetch the body from another replica and put it again",
    },
  );
}

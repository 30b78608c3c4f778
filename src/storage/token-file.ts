// SPDX-License-Identifier: Apache-2.0
import { open } from "node:fs/promises";
import { ChartsealError } from "../errors.js";
import { othersMayRead } from "../secret-file.js";

/** A longer file is not a token. */
const LONGEST_BYTES = 4096;

/**
 * The bearer token in a file that only its owner may read; white space around it is dropped.
 * @throws ERR_CONFIG_INVALID, never with the file's content
 */
export async function readToken(path: string): Promise<string> {
  const file = await open(path, "r").catch((cause: unknown) => {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw invalid(path, `cannot be read (${code})`, undefined, cause);
  });
  try {
    // Asked of the open file: its name may mean another file a moment later.
    const status = await file.stat();
    if (!status.isFile() || status.size > LONGEST_BYTES) throw invalid(path, "is not a token file");
    if (await othersMayRead(path, status)) throw invalid(path, "may be read by others", `chmod 600 ${path}`);
    const token = (await file.readFile("utf8")).trim();
    // RFC 6750, 2.1, b64token: nothing that could end the header.
    if (!/^[\w.~+/-]+=*$/.test(token)) throw invalid(path, "holds no bearer token");
    return token;
  } finally {
    await file.close();
  }
}

function invalid(path: string, why: string, hint?: string, cause?: unknown): ChartsealError {
  return new ChartsealError("ERR_CONFIG_INVALID", `the token file ${path} ${why}`, {
    values: { path },
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

// SPDX-License-Identifier: Apache-2.0
import { open } from "node:fs/promises";
import { Wallet } from "ethers";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { PatientSigner } from "../consent/index.js";

/** A file with one key has 67 bytes; a little room for line ends. */
const LONGEST_BYTES = 256;

/**
 * A patient's signer over a private key in a file, which stands for his device.
 * @throws ERR_KEY_INVALID when others may read the file or it holds no key; never with its content
 */
export async function keyFileSigner(path: string): Promise<PatientSigner> {
  const text = await readKeyFile(path);
  let wallet: Wallet;
  try {
    wallet = new Wallet(text.startsWith("0x") ? text : `0x${text}`);
  } catch {
    throw invalid(path, "holds no private key: 64 hexadecimal digits are needed");
  }
  return {
    signer: wallet.address.toLowerCase() as Hex,
    signTypedData: (domain, types, message) => wallet.signTypedData(domain, types, message),
  };
}

async function readKeyFile(path: string): Promise<string> {
  const file = await open(path, "r").catch((cause: unknown) => {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw invalid(path, `cannot be read (${code})`, undefined, cause);
  });
  try {
    // Asked of the open file: its name may mean another file a moment later.
    const status = await file.stat();
    if (!status.isFile() || status.size > LONGEST_BYTES) throw invalid(path, "is not a key file");
    if ((status.mode & 0o077) !== 0 && process.platform !== "win32") {
      throw invalid(path, "may be read by others", `chmod 600 ${path}`);
    }
    return (await file.readFile("utf8")).trim();
  } finally {
    await file.close();
  }
}

function invalid(path: string, why: string, hint?: string, cause?: unknown): ChartsealError {
  return new ChartsealError("ERR_KEY_INVALID", `the key file ${path} ${why}`, {
    values: { path },
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

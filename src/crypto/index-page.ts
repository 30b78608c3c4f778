// SPDX-License-Identifier: Apache-2.0
import { openEnvelope, refused, sealEnvelope } from "./envelope.js";
import type { AccessBinding, Envelope, EnvelopeBinding } from "./envelope.js";

/** A list of what an access covers, sealed to one member. */
export type IndexPage = Envelope;

const INDEX_LABEL = "chartseal/index/v1";
const NO_LEAF = `0x${"00".repeat(32)}` as const;

/**
 * Seals an index page to a member's key, for one access.
 *
 * @param options.json - the page: JSON text
 * @throws ChartsealError ERR_CAPSULE_REFUSED when the public key is not usable
 */
export async function sealIndexPage(
  options: AccessBinding & { json: string; publicKey: Uint8Array; keyEpoch: number },
): Promise<IndexPage> {
  return sealEnvelope(bindingOf(options), options, Buffer.from(options.json, "utf8"));
}

/**
 * Opens an index page, as JSON text or parsed.
 *
 * @returns the page's JSON text
 * @throws ChartsealError ERR_CAPSULE_REFUSED when it is for another access, chain, contract or key, or
 * malformed; ERR_FORMAT_UNSUPPORTED for another format
 */
export async function openIndexPage(
  page: unknown,
  options: AccessBinding & { secretKey: Uint8Array },
): Promise<string> {
  const plaintext = await openEnvelope(page, bindingOf(options), options.secretKey);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plaintext);
  } catch (cause) {
    throw refused("its content is not UTF-8", {}, cause);
  }
}

function bindingOf({ chainId, accessLog, accessId }: AccessBinding): EnvelopeBinding {
  return { chainId, accessLog, accessId, label: INDEX_LABEL, leafHash: NO_LEAF };
}

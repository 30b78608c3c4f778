// SPDX-License-Identifier: Apache-2.0
// What capsules and index pages have in common: an HPKE message to a member's key, bound to one access.
import { NotSupportedError } from "hpke";

import { ChartsealError } from "../errors.js";
import { concatBytes, fromBase64url, fromHex, toBase64url, uintBytes } from "./bytes.js";
import type { Hex } from "./bytes.js";
import { SUITE, checkPublicKey, checkSecretKey } from "./member-key.js";
import { StrictObject } from "./strict-json.js";

/** The envelope format this version writes and reads. */
const ENVELOPE_FORMAT = 1;

/** A capsule or an index page as it travels: plain JSON. */
export interface Envelope {
  /** {@link ENVELOPE_FORMAT} */
  format: number;
  /** The access it was made for: 32 bytes. */
  accessId: Hex;
  /** The leaf whose key it carries: 32 bytes; zero for an index page. */
  leafHash: Hex;
  /** The epoch of the reader member's key that it is sealed to. */
  keyEpoch: number;
  /** HPKE encapsulated key: 1,120 bytes, base64url. */
  enc: string;
  /** base64url */
  ciphertext: string;
}

/** The access that an envelope is made for. */
export interface AccessBinding {
  chainId: bigint;
  /** Address of the AccessLog contract: 20 bytes. */
  accessLog: Hex;
  /** 32 bytes. */
  accessId: Hex;
}

export interface EnvelopeBinding extends AccessBinding {
  /** Says what the envelope carries, so that one kind never opens as another. */
  label: string;
  leafHash: Hex;
}

const KEY_EPOCH_MAX = 0xffff_ffff; // uint32

/** Seals `plaintext` to a member's key. */
export async function sealEnvelope(
  binding: EnvelopeBinding,
  to: { publicKey: Uint8Array; keyEpoch: number },
  plaintext: Uint8Array,
): Promise<Envelope> {
  checkPublicKey(to.publicKey);
  if (!Number.isSafeInteger(to.keyEpoch) || to.keyEpoch < 0 || to.keyEpoch > KEY_EPOCH_MAX) {
    throw new ChartsealError("ERR_USAGE", `a key epoch is a uint32, got ${to.keyEpoch}`);
  }
  const info = infoOf(binding);
  try {
    const publicKey = await SUITE.DeserializePublicKey(to.publicKey);
    const { encapsulatedSecret, ciphertext } = await SUITE.Seal(publicKey, plaintext, { info });
    return {
      format: ENVELOPE_FORMAT,
      accessId: binding.accessId,
      leafHash: binding.leafHash,
      keyEpoch: to.keyEpoch,
      enc: toBase64url(encapsulatedSecret),
      ciphertext: toBase64url(ciphertext),
    };
  } catch (cause) {
    if (cause instanceof NotSupportedError) throw noSuite(cause);
    throw refused("the reader's public key is not usable", {}, cause);
  }
}

/** Opens an envelope that must be for this binding and this key. */
export async function openEnvelope(
  envelope: unknown,
  binding: EnvelopeBinding,
  secretKey: Uint8Array,
): Promise<Uint8Array> {
  checkSecretKey(secretKey);
  const { accessId, leafHash, keyEpoch, enc, ciphertext } = parseEnvelope(envelope);
  if (accessId !== binding.accessId) {
    throw refused("it was made for another access", { made: accessId, asked: binding.accessId });
  }
  if (leafHash !== binding.leafHash) {
    throw refused("it was made for another leaf", { made: leafHash, asked: binding.leafHash });
  }
  const info = infoOf(binding);
  try {
    const privateKey = await SUITE.DeserializePrivateKey(secretKey);
    return await SUITE.Open(privateKey, decoded(enc), decoded(ciphertext), { info });
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    if (cause instanceof NotSupportedError) throw noSuite(cause);
    throw refused(
      `it does not open: it was altered, or sealed to a key other than this one of epoch ${keyEpoch}, ` +
        "or for another chain or AccessLog",
      { keyEpoch },
      cause,
    );
  }
}

/**
 * Checks the shape of an envelope, without opening it.
 *
 * @throws ChartsealError ERR_CAPSULE_REFUSED, or ERR_FORMAT_UNSUPPORTED for another format
 */
function parseEnvelope(value: unknown): Envelope {
  const fields =
    typeof value === "string"
      ? StrictObject.parse(value, "capsule", "ERR_CAPSULE_REFUSED")
      : new StrictObject(value, "capsule", "ERR_CAPSULE_REFUSED");
  fields.format(ENVELOPE_FORMAT);
  const envelope: Envelope = {
    format: ENVELOPE_FORMAT,
    accessId: fields.hex("accessId", 32),
    leafHash: fields.hex("leafHash", 32),
    keyEpoch: fields.uint("keyEpoch", KEY_EPOCH_MAX),
    enc: fields.string("enc"),
    ciphertext: fields.string("ciphertext"),
  };
  fields.end();
  return envelope;
}

/** The error for a capsule that is not made, or does not open. */
export function refused(
  reason: string,
  values: Record<string, string | number> = {},
  cause?: unknown,
): ChartsealError {
  return new ChartsealError("ERR_CAPSULE_REFUSED", `capsule refused: ${reason}`, { values, cause });
}

/** Label || chain id (uint256) || AccessLog (20 bytes) || access id (32) || leaf hash (32). */
function infoOf(binding: EnvelopeBinding): Uint8Array {
  const { chainId } = binding;
  if (chainId < 0n || chainId >= 1n << 256n) {
    throw new ChartsealError("ERR_USAGE", `a chain id is a uint256, got ${chainId}`);
  }
  return concatBytes(
    Buffer.from(binding.label, "latin1"),
    uintBytes(chainId, 32),
    fromHex(binding.accessLog, 20),
    fromHex(binding.accessId, 32),
    fromHex(binding.leafHash, 32),
  );
}

function noSuite(cause: NotSupportedError): ChartsealError {
  const hint = "Run Node.js 24.7 or later.";
  return new ChartsealError("ERR_USAGE", "this Node.js has no ML-KEM-768", { hint, cause });
}

function decoded(text: string): Uint8Array {
  try {
    return fromBase64url(text);
  } catch (cause) {
    throw refused("it is not base64url", {}, cause);
  }
}

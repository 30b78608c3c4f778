// SPDX-License-Identifier: Apache-2.0
import { unsupportedFormat } from "../errors.js";
import { asBuffer, concatBytes, equalBytes, fromHex, toHex, uintBytes } from "./bytes.js";
import { cidText, parseCid } from "./cid.js";
import type { ParsedCid } from "./cid.js";
import { CONTENT_KEY_LENGTH } from "./chunk-keys.js";
import { openEnvelope, refused, sealEnvelope } from "./envelope.js";
import type { AccessBinding, Envelope } from "./envelope.js";
import { LEAF_LENGTH, encodeLeaf, hashLeafBytes } from "./leaf.js";
import type { Leaf } from "./leaf.js";
import { RECORD_ID_LENGTH } from "./sealed-record.js";

/** The content key of one record, sealed to one member for one access. */
export type Capsule = Envelope;

/** What a capsule carries. */
export interface CapsuleContent {
  /** 16 bytes. */
  recordId: Uint8Array;
  /** 32 bytes. */
  contentKey: Uint8Array;
  /** Where the sealed record is stored: CIDv1 in base32. */
  cid: string;
}

const CAPSULE_FORMAT = 1;
const CAPSULE_LABEL = "chartseal/capsule/v1";
const FORMAT_LENGTH = 2;
const RECORD_ID_AT = FORMAT_LENGTH + LEAF_LENGTH;
const CONTENT_KEY_AT = RECORD_ID_AT + RECORD_ID_LENGTH;
const CID_LENGTH_AT = CONTENT_KEY_AT + CONTENT_KEY_LENGTH;
const CID_AT = CID_LENGTH_AT + 1;

/**
 * Seals a record's content key to a member's key, for one access to one leaf.
 *
 * Only a release agent calls this, after its own node showed the access: no log, no key.
 *
 * @throws ChartsealError ERR_CAPSULE_REFUSED when the CID is not the leaf's or the public key is not usable,
 * ERR_KEY_INVALID for a key of the wrong length
 */
export async function sealCapsule(
  options: AccessBinding & CapsuleContent & { leaf: Leaf; publicKey: Uint8Array; keyEpoch: number },
): Promise<Capsule> {
  const { leaf, recordId, contentKey } = options;
  if (recordId.length !== RECORD_ID_LENGTH || contentKey.length !== CONTENT_KEY_LENGTH) {
    throw refused("a record id has 16 bytes and a content key 32");
  }
  const cid = parseCid(options.cid);
  checkCid(cid, leaf);
  const encodedLeaf = encodeLeaf(leaf);
  const plaintext = concatBytes(
    uintBytes(CAPSULE_FORMAT, FORMAT_LENGTH),
    encodedLeaf,
    recordId,
    contentKey,
    uintBytes(cid.bytes.length, 1),
    cid.bytes,
  );
  try {
    return await sealEnvelope(bindingOf(options, encodedLeaf), options, plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/**
 * Opens a capsule, as JSON text or parsed.
 *
 * @throws ChartsealError ERR_CAPSULE_REFUSED when it is for another access, leaf, chain, contract or key, or
 * malformed; ERR_FORMAT_UNSUPPORTED for another format; ERR_KEY_INVALID unless the secret key has 32 bytes
 */
export async function openCapsule(
  capsule: unknown,
  options: AccessBinding & { leaf: Leaf; secretKey: Uint8Array },
): Promise<CapsuleContent> {
  const encodedLeaf = encodeLeaf(options.leaf);
  const plaintext = await openEnvelope(capsule, bindingOf(options, encodedLeaf), options.secretKey);
  if (plaintext.length <= CID_AT) throw refused("its content is cut short");
  const format = asBuffer(plaintext).readUInt16BE(0);
  if (format !== CAPSULE_FORMAT) throw unsupportedFormat("capsule content", format, CAPSULE_FORMAT);
  if (!equalBytes(plaintext.subarray(FORMAT_LENGTH, RECORD_ID_AT), encodedLeaf)) {
    throw refused("it carries another leaf than it was made for");
  }
  const cidBytes = plaintext.subarray(CID_AT);
  const cid = cidBytes.length === plaintext[CID_LENGTH_AT] ? cidText(cidBytes) : undefined;
  if (cid === undefined) throw refused("its CID is not valid");
  checkCid(parseCid(cid), options.leaf);
  return {
    recordId: plaintext.slice(RECORD_ID_AT, CONTENT_KEY_AT),
    contentKey: plaintext.slice(CONTENT_KEY_AT, CID_LENGTH_AT),
    cid,
  };
}

// The CID of a body of one block holds the body's SHA-256, which the leaf anchors.
function checkCid(cid: ParsedCid | undefined, leaf: Leaf): asserts cid is ParsedCid {
  if (cid === undefined) throw refused("its CID is not a CIDv1 of the unixfs-v1-2025 profile in base32");
  if (cid.oneBlock && !equalBytes(cid.digest, fromHex(leaf.contentDigest, 32))) {
    throw refused("its CID is of another body than the leaf's", { contentDigest: leaf.contentDigest });
  }
}

function bindingOf(access: AccessBinding, encodedLeaf: Uint8Array) {
  const { chainId, accessLog, accessId } = access;
  return { chainId, accessLog, accessId, label: CAPSULE_LABEL, leafHash: toHex(hashLeafBytes(encodedLeaf)) };
}

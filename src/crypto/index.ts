// SPDX-License-Identifier: Apache-2.0
export { decodeBatchManifest, encodeBatchManifest } from "./batch-manifest.js";
export type { BatchEntry, BatchManifest } from "./batch-manifest.js";
export {
  concatBytes,
  equalBytes,
  fillRandom,
  fromBase64url,
  fromHex,
  isHex,
  sha256Of,
  toBase64url,
  toHex,
  uintBytes,
} from "./bytes.js";
export type { Hex } from "./bytes.js";
export { openCapsule, sealCapsule } from "./capsule.js";
export type { Capsule, CapsuleContent } from "./capsule.js";
export { cidText, parseCid } from "./cid.js";
export type { ParsedCid } from "./cid.js";
export { CHUNK_LENGTH, CONTENT_KEY_LENGTH } from "./chunk-keys.js";
export { ciphertextLength } from "./chunked-encryption.js";
export type { EncryptOptions } from "./chunked-encryption.js";
export { decrypt, decryptBytes, encrypt, encryptBytes } from "./cobblestone.js";
export type { AccessBinding, Envelope } from "./envelope.js";
export { HmacKey } from "./hmac.js";
export { openIndexPage, sealIndexPage } from "./index-page.js";
export type { IndexPage } from "./index-page.js";
export {
  LEAF_FORMAT,
  LEAF_LENGTH,
  LeafKind,
  dayOf,
  decodeLeaf,
  encodeLeaf,
  indexRef,
  leafFromJson,
  leafHash,
  leafToJson,
} from "./leaf.js";
export type { Leaf, SupportingKind } from "./leaf.js";
export { SEALED_RECORD_FORMAT } from "./manifest.js";
export type { Manifest } from "./manifest.js";
export {
  ELEMENT_LENGTH,
  LOOKUP_ENTRY_LENGTH,
  PROOF_LENGTH,
  blindIdentifier,
  blindedDigest,
  evaluateBlinded,
  findInTable,
  finishLookup,
  lookupRow,
  makeLookupKey,
  makeLookupTable,
  type BlindedIdentifier,
  type LookupKey,
  type LookupRow,
} from "./lookup.js";
export { MEMBER_PUBLIC_KEY_LENGTH, generateMemberKey, keyDigest } from "./member-key.js";
export type { MemberKey } from "./member-key.js";
export { paddedLength } from "./padding.js";
export { RECEIPT_FORMAT, parseReceipt } from "./receipt.js";
export type { Receipt, ReceiptAnchor, ReceiptBatch } from "./receipt.js";
export {
  RECORD_ID_LENGTH,
  SEALED_HEADER_LENGTH,
  contextOf,
  isSealedUnder,
  openBytes,
  openRecord,
  sealBytes,
  sealRecord,
  sealedLength,
} from "./sealed-record.js";
export type { OpenedRecord, RecordKeys, RecordSource } from "./sealed-record.js";
export { MerkleTree, rootFromProof, verifyInclusion } from "./tree.js";
export { verifyReceipt } from "./verify-receipt.js";
export type { Check, CheckName, TrustedRoot, Verdict, VerifyReceiptOptions } from "./verify-receipt.js";

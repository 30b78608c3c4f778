// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { base32upper } from "multiformats/bases/base32";
import { encode, renderSVG } from "uqr";
import type { Deployment } from "../chain/index.js";
import { concatBytes, equalBytes, fromHex, toHex, uintBytes, type Hex } from "../crypto/index.js";
import { ChartsealError, unsupportedFormat } from "../errors.js";

const CARD_FORMAT = 1;
const PREFIX = "CHARTSEAL:";
/** Bytes: format, chain id, PatientRegistry, patient id, custodian, checksum. */
const PARTS = { format: 2, chainId: 8, registry: 20, patientId: 32, custodian: 4, checksum: 4 } as const;
const LENGTH = Object.values(PARTS).reduce((sum, length) => sum + length, 0);

/** What an emergency card says: whose records are where. No name, no identifier, no key. */
export interface Card {
  patient: Hex;
  /** Member id. */
  custodian: number;
}

/**
 * The card as text: "CHARTSEAL:" and base32 (RFC 4648) of its bytes. All of it is in QR's alphanumeric alphabet, and
 * can be typed.
 */
export function cardText(deployment: Deployment, { patient, custodian }: Card): string {
  const content = concatBytes(
    uintBytes(CARD_FORMAT, PARTS.format),
    consortium(deployment),
    fromHex(patient, PARTS.patientId),
    uintBytes(custodian, PARTS.custodian),
  );
  return PREFIX + base32upper.baseEncode(concatBytes(content, checksum(content)));
}

/**
 * Reads a card, scanned or typed: case, spaces, line ends and hyphens do not matter.
 * @throws ERR_USAGE when it is no card or has a typing error, ERR_CHAIN_MISMATCH for another consortium's,
 * ERR_FORMAT_UNSUPPORTED
 */
export function parseCard(deployment: Deployment, text: string): Card {
  const bytes = bytesOf(text);
  const format = bytes[0]! * 256 + bytes[1]!;
  if (format !== CARD_FORMAT) throw unsupportedFormat("the emergency card", format, CARD_FORMAT);
  const content = bytes.subarray(0, LENGTH - PARTS.checksum);
  if (bytes.length !== LENGTH || !equalBytes(bytes.subarray(LENGTH - PARTS.checksum), checksum(content))) {
    throw noCard("its checksum does not fit");
  }
  const patientAt = PARTS.format + PARTS.chainId + PARTS.registry;
  if (!equalBytes(content.subarray(PARTS.format, patientAt), consortium(deployment))) {
    throw new ChartsealError("ERR_CHAIN_MISMATCH", "the emergency card is of another consortium", {
      hint: "ask that consortium's members; this deployment does not know the patient",
    });
  }
  const custodianAt = patientAt + PARTS.patientId;
  return {
    patient: toHex(content.subarray(patientAt, custodianAt)),
    custodian: Buffer.from(content.subarray(custodianAt)).readUInt32BE(0),
  };
}

/** The card's QR code, error correction level Q: a quarter of it may be worn off. */
export function cardSvg(text: string): string {
  return renderSVG(text, { ecc: "Q", border: 4 });
}

/** The same for a terminal: two rows of modules in a line. */
export function cardBlocks(text: string): string {
  const { data, size } = encode(text, { ecc: "Q", border: 2 });
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    // Light modules are drawn: a terminal is dark, and a scanner wants dark on light.
    const cells = data[row]!.map(
      (dark, column) => HALVES[Number(!dark) * 2 + Number(data[row + 1]?.[column] !== true)]!,
    );
    lines.push(cells.join(""));
  }
  return lines.join("\n");
}

/** Upper light times two, lower light. */
const HALVES = [" ", "▄", "▀", "█"] as const;

function consortium({ chainId, patients }: Deployment): Uint8Array {
  return concatBytes(uintBytes(chainId, PARTS.chainId), fromHex(patients, PARTS.registry));
}

/** Against typing errors; anyone can make a card. */
function checksum(content: Uint8Array): Uint8Array {
  return createHash("sha256").update(content).digest().subarray(0, PARTS.checksum);
}

function bytesOf(text: string): Uint8Array {
  const typed = text.replaceAll(/[\s-]/g, "").toUpperCase();
  if (!typed.startsWith(PREFIX)) throw noCard(`it does not begin with ${PREFIX}`);
  const digits = typed.slice(PREFIX.length);
  if (digits.length < 2 || digits.length > 4 * LENGTH) throw noCard("it is too short or too long");
  try {
    return base32upper.baseDecode(digits);
  } catch {
    throw noCard("it has characters that no card has");
  }
}

function noCard(why: string): ChartsealError {
  return new ChartsealError("ERR_USAGE", `this is no emergency card: ${why}`, {
    hint: "scan it again, or type what stands under the code",
  });
}

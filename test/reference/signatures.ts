// SPDX-License-Identifier: Apache-2.0
import { AbiCoder, Wallet, id } from "ethers";
import type { TypedDataDomain, TypedDataField } from "ethers";
import type { Signature } from "./acts.js";

/** What is signed, as docs/formats.md lists it. */
const SIGNED = {
  Terms:
    "uint16 format,bytes32 patientId,uint32 grantee,uint64 compartments,uint16 purposes,uint48 notBefore,uint48 notAfter,uint32 recordedFrom,uint32 recordedTo,bytes32 salt",
  PatientSigner: "bytes32 patientId,bytes key,uint48 deadline",
  PatientGuardian: "bytes32 patientId,bytes key,uint48 deadline",
  PatientDelegate: "bytes32 patientId,bytes key,uint48 deadline",
  SignerRotation: "bytes32 patientId,bytes key,uint32 nonce,uint48 deadline",
  Delegation: "bytes32 patientId,bytes key,uint48 until,uint32 nonce,uint48 deadline",
  GuardianSet:
    "bytes32 patientId,bytes[] guardians,uint8 threshold,uint48 until,uint32 nonce,uint48 deadline",
  PatientChange: "bytes32 patientId,bytes32 changeHash,uint32 nonce,uint48 deadline",
  Cancellation: "bytes32 patientId,bytes32 changeHash,uint48 readyAt",
  Revocation: "bytes32 patientId,bytes32 termsHash",
  Directive:
    "bytes32 patientId,bool denyAll,bool denyEmergency,uint64 deniedCompartments,uint64 nonce,uint48 deadline",
  Witnessing: "uint8 act,bytes32 patientId,bytes32 ref,address first,uint48 deadline",
  OrderEntry: "bytes32 termsHash,address first,uint48 deadline",
  OrderLift: "bytes32 patientId,bytes32 termsHash,address first,uint48 deadline",
  Emergency: "address initiator,bytes32 patientId,bytes32 reasonDigest,bytes32 nonce,uint48 deadline",
  Hold: "bytes32 patientId,uint64[] indices,uint48 until,uint64 nonce,uint48 deadline",
  HoldLift: "bytes32 patientId,uint64[] indices,uint64 nonce,uint48 deadline",
  Erasure: "uint32 memberId,uint64 index,uint64 certificateIndex,uint48 deadline",
  OwnRequest:
    "bytes32 patientId,uint8 extent,uint64 compartments,uint32 recordedFrom,uint32 recordedTo,uint64 upTo,bytes32 recipientKey,uint64 nonce,uint48 deadline",
} as const;
export type Signed = keyof typeof SIGNED;

export function typesOf(name: Signed): Record<string, TypedDataField[]> {
  const fields = SIGNED[name].split(",").map((field) => field.split(" ") as [string, string]);
  return { [name]: fields.map(([type, field]) => ({ name: field, type })) };
}

const wallets = new Map<string, Wallet>();

/** The key of that name: the same every time. */
function walletOf(name: string): Wallet {
  const wallet = wallets.get(name) ?? new Wallet(id(name));
  wallets.set(name, wallet);
  return wallet;
}

/** The key as patients register it. */
export function keyBytes(name: string): string {
  return walletOf(name).address.toLowerCase();
}

/** One key's signature, or the guardians' together, as the contracts take it. */
export async function signed(
  { keys, together }: Signature,
  domain: TypedDataDomain,
  name: Signed,
  value: object,
): Promise<string> {
  const signatures: string[] = [];
  for (const key of keys) signatures.push(await walletOf(key).signTypedData(domain, typesOf(name), value));
  if (!together) return signatures[0] ?? "0x";
  return AbiCoder.defaultAbiCoder().encode(["bytes[]", "bytes[]"], [keys.map(keyBytes), signatures]);
}

// SPDX-License-Identifier: Apache-2.0
import type { TypedDataDomain, TypedDataField } from "ethers";
import type { Deployment } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";

/** What a patient's device is asked to sign: EIP-712, as eth_signTypedData_v4 takes it. */
export interface TypedData {
  domain: TypedDataDomain;
  types: Record<string, TypedDataField[]>;
  primaryType: string;
  message: Record<string, unknown>;
}

/** EIP-712 domains: of each contract that checks signatures, and of the Exchange's messages, which no contract sees. */
type Domain = "patients" | "records" | "consents" | "orders" | "emergencies" | "accessLog" | "exchange";

const NAMES: Readonly<Record<Domain, string>> = {
  patients: "chartseal PatientRegistry",
  records: "chartseal RecordRegistry",
  consents: "chartseal ConsentRegistry",
  orders: "chartseal LegalOrders",
  emergencies: "chartseal BreakGlass",
  accessLog: "chartseal AccessLog",
  exchange: "chartseal Exchange",
};

export const TERMS_FIELDS: TypedDataField[] = fields(
  "uint16 format,bytes32 patientId,uint32 grantee,uint64 compartments,uint16 purposes,uint48 notBefore,uint48 notAfter,uint32 recordedFrom,uint32 recordedTo,bytes32 salt",
);
const STRUCTS: Readonly<Record<string, TypedDataField[]>> = {
  PatientSigner: fields("bytes32 patientId,bytes key,uint48 deadline"),
  PatientGuardian: fields("bytes32 patientId,bytes key,uint48 deadline"),
  PatientDelegate: fields("bytes32 patientId,bytes key,uint48 deadline"),
  SignerRotation: fields("bytes32 patientId,bytes key,uint32 nonce,uint48 deadline"),
  GuardianSet: fields(
    "bytes32 patientId,bytes[] guardians,uint8 threshold,uint48 until,uint32 nonce,uint48 deadline",
  ),
  Delegation: fields("bytes32 patientId,bytes key,uint48 until,uint32 nonce,uint48 deadline"),
  PatientChange: fields("bytes32 patientId,bytes32 changeHash,uint32 nonce,uint48 deadline"),
  Cancellation: fields("bytes32 patientId,bytes32 changeHash,uint48 readyAt"),
  Hold: fields("bytes32 patientId,uint64[] indices,uint48 until,uint64 nonce,uint48 deadline"),
  HoldLift: fields("bytes32 patientId,uint64[] indices,uint64 nonce,uint48 deadline"),
  Erasure: fields("uint32 memberId,uint64 index,uint64 certificateIndex,uint48 deadline"),
  Witnessing: fields("uint8 act,bytes32 patientId,bytes32 ref,address first,uint48 deadline"),
  OrderEntry: fields("bytes32 termsHash,address first,uint48 deadline"),
  OrderLift: fields("bytes32 patientId,bytes32 termsHash,address first,uint48 deadline"),
  Emergency: fields("address initiator,bytes32 patientId,bytes32 reasonDigest,bytes32 nonce,uint48 deadline"),
  EmergencyRelease: fields(
    "address initiator,address colleague,bytes32 patientId,bytes32 reasonDigest,bytes32 nonce,uint48 deadline",
  ),
  OwnRequest: fields(
    "bytes32 patientId,uint8 extent,uint64 compartments,uint32 recordedFrom,uint32 recordedTo,uint64 upTo,bytes32 recipientKey,uint64 nonce,uint48 deadline",
  ),
  Terms: TERMS_FIELDS,
  Revocation: fields("bytes32 patientId,bytes32 termsHash"),
  Directive: fields(
    "bytes32 patientId,bool denyAll,bool denyEmergency,uint64 deniedCompartments,uint64 nonce,uint48 deadline",
  ),
  ExchangeMessage: fields("string type,bytes32 id,uint32 from,uint32 to,bytes32 bodyDigest"),
};

/** Typed data of one of our structs, bound to chain and contract. */
export function typedData(
  deployment: Deployment,
  signedFor: Domain,
  primaryType: string,
  message: Record<string, unknown>,
): TypedData {
  return {
    domain: {
      name: NAMES[signedFor],
      version: "1",
      chainId: deployment.chainId,
      verifyingContract: signedFor === "exchange" ? deployment.accessLog : deployment[signedFor],
    },
    types: { [primaryType]: STRUCTS[primaryType]! },
    primaryType,
    message,
  };
}

/** Signs as a patient: his phone, his wallet, or a contract account that answers for him. */
export interface PatientSigner {
  /** ERC-7913 signer: a 20-byte account, or a verifier's address followed by a key. */
  readonly signer: Hex;
  signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    message: Record<string, unknown>,
  ): Promise<string>;
}

/**
 * A patient's signer over an ordinary account, such as an ethers Wallet.
 * @example
 * const signer = accountSigner(Wallet.createRandom());
 */
export function accountSigner(account: {
  readonly address: string;
  signTypedData: PatientSigner["signTypedData"];
}): PatientSigner {
  return {
    signer: account.address.toLowerCase() as Hex,
    signTypedData: (domain, types, message) => account.signTypedData(domain, types, message),
  };
}

export async function signAs(signer: Pick<PatientSigner, "signTypedData">, data: TypedData): Promise<Hex> {
  return (await signer.signTypedData(data.domain, data.types, data.message)) as Hex;
}

function fields(text: string): TypedDataField[] {
  return text.split(",").map((field) => {
    const [type, name] = field.split(" ") as [string, string];
    return { type, name };
  });
}

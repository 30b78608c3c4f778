// SPDX-License-Identifier: Apache-2.0
import { AbiCoder, ZeroHash, keccak256 } from "ethers";
import type { Deployment } from "../chain/index.js";
import { hashTerms, typedData, type TypedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { CHANGE_KINDS, patientOf, type Act, type ActFile, type ActOf } from "./act.js";

/** IConsentRegistry.WitnessedAct. */
const WITNESSED = { "witnessed-grant": 0, "witnessed-revocation": 1, "witnessed-denial": 2 } as const;

/** One thing that is signed of an act, and by whom. */
export interface Paper {
  /** The EIP-712 struct's name. */
  struct: string;
  /** What it is signed for: to decide the act, or to show that a key which it names is held. */
  for: "authority" | "possession";
  /** Who may sign; empty: whoever holds the role that the contract asks for. */
  keys: readonly Hex[];
  /** How many of them must. */
  threshold: number;
  typedData: TypedData;
}

/** Everything that is signed of an act, derived from what it says and this deployment alone. */
export function papersOf({ act, signers, threshold }: ActFile, deployment: Deployment): Paper[] {
  const authority = authorityOf(act);
  const possession = (struct: string, key: Hex, deadline: number): Paper => ({
    struct,
    for: "possession",
    keys: [key],
    threshold: 1,
    typedData: typedData(deployment, "patients", struct, { patientId: patientOf(act), key, deadline }),
  });
  return [
    ...possessions(act).map(([struct, key, deadline]) => possession(struct, key, deadline)),
    ...(authority === undefined
      ? []
      : [
          {
            struct: authority.struct,
            for: "authority" as const,
            keys: signers,
            threshold,
            typedData: typedData(deployment, authority.contract, authority.struct, authority.message),
          },
        ]),
  ];
}

/** What names a document on paper: the terms hash, or the denial with the directive's next nonce. */
function documentRef(act: Act): Hex {
  if ("terms" in act) return hashTerms(act.terms);
  if (act.kind === "witnessed-denial") return denialRef(act);
  return "termsHash" in act ? act.termsHash : (ZeroHash as Hex);
}

/** keccak256(abi.encode(denyAll, denyEmergency, deniedCompartments, nonce)). */
export function denialRef(
  denial: Pick<ActOf<"witnessed-denial">, "denyAll" | "denyEmergency" | "deniedCompartments" | "nonce">,
): Hex {
  const { denyAll, denyEmergency, deniedCompartments, nonce } = denial;
  const values = [denyAll, denyEmergency, deniedCompartments, nonce];
  return keccak256(AbiCoder.defaultAbiCoder().encode(["bool", "bool", "uint64", "uint64"], values)) as Hex;
}

type ContractChange = Pick<ActOf<"change">, "keys" | "threshold" | "until" | "document"> & { kind: number };

/** IPatientRegistry.Change. */
export function changeOf(act: ActOf<"change">): ContractChange {
  const { change, keys, threshold, until, document } = act;
  return { kind: CHANGE_KINDS.indexOf(change), keys, threshold, until, document };
}

/** keccak256(abi.encode(change)). */
function changeHash(act: ActOf<"change">): Hex {
  const type = "tuple(uint8 kind,bytes[] keys,uint8 threshold,uint48 until,bytes32 document)";
  return keccak256(AbiCoder.defaultAbiCoder().encode([type], [changeOf(act)])) as Hex;
}

/** Struct, key and deadline of each proof that a new key is held. */
function possessions(act: Act): [struct: string, key: Hex, deadline: number][] {
  switch (act.kind) {
    case "enrolment":
      return [
        ...(act.key === null ? [] : [["PatientSigner", act.key, act.deadline] as [string, Hex, number]]),
        ...act.guardians.map((key): [string, Hex, number] => ["PatientGuardian", key, act.deadline]),
      ];
    case "rotation":
      return [["PatientSigner", act.key, act.deadline]];
    case "guardians":
      return act.guardians.map((key) => ["PatientGuardian", key, act.deadline]);
    case "delegation":
      return act.until === 0 ? [] : [["PatientDelegate", act.key, act.deadline]];
    case "change": {
      const struct = act.change === "SIGNER" ? "PatientSigner" : "PatientGuardian";
      return act.keys.map((key) => [struct, key, act.deadline]);
    }
    default:
      return [];
  }
}

interface Signed {
  contract: "patients" | "consents" | "orders" | "emergencies" | "accessLog";
  struct: string;
  message: Record<string, unknown>;
}

/** What the patient, his guardians, a delegate or the second of two persons signs. */
function authorityOf(act: Act): Signed | undefined {
  switch (act.kind) {
    case "enrolment":
      return undefined; // the custodian's operator registers by his own transaction
    case "grant":
      return { contract: "consents", struct: "Terms", message: act.terms };
    case "revocation":
      return fieldsOf("consents", "Revocation", act);
    case "directive":
      return fieldsOf("consents", "Directive", act);
    case "rotation":
      return fieldsOf("patients", "SignerRotation", act);
    case "guardians":
      return fieldsOf("patients", "GuardianSet", act);
    case "delegation":
      return fieldsOf("patients", "Delegation", act);
    case "change": {
      const { patientId, nonce, deadline } = act;
      const message = { patientId, changeHash: changeHash(act), nonce, deadline };
      return { contract: "patients", struct: "PatientChange", message };
    }
    case "refusal":
      return fieldsOf("patients", "Cancellation", act);
    case "order":
      return {
        contract: "orders",
        struct: "OrderEntry",
        message: { termsHash: hashTerms(act.terms), first: act.first, deadline: act.deadline },
      };
    case "order-lift":
      return fieldsOf("orders", "OrderLift", act);
    case "emergency":
      return fieldsOf("emergencies", "Emergency", act);
    case "emergency-release":
      return fieldsOf("emergencies", "EmergencyRelease", act);
    case "own-request":
      return fieldsOf("accessLog", "OwnRequest", act);
    default: {
      const { first, deadline } = act;
      const message = {
        act: WITNESSED[act.kind],
        patientId: patientOf(act),
        ref: documentRef(act),
        first,
        deadline,
      };
      return { contract: "consents", struct: "Witnessing", message };
    }
  }
}

/** A struct whose fields are those of the act, but for its kind. */
function fieldsOf(contract: Signed["contract"], struct: string, { kind: _, ...message }: Act): Signed {
  return { contract, struct, message };
}

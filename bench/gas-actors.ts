// SPDX-License-Identifier: Apache-2.0
import type { TypedDataDomain, Wallet } from "ethers";
import { ZeroHash, toBeHex } from "ethers";
import type { Hex, Leaf } from "../src/crypto/index.js";
import { LEAF_FORMAT, LeafKind, MerkleTree, leafHash, toHex } from "../src/crypto/index.js";
import type { Chain } from "./gas-chain.js";
import { ALL_COMPARTMENTS, NOT_AFTER, NOT_BEFORE, gasOf, steadyBytes, steadyWallet } from "./gas-chain.js";

const TREAT = 0;
const field = (name: string, type: string) => ({ name, type });

export const TYPES = {
  PatientRegistry: {
    PatientSigner: [field("patientId", "bytes32"), field("key", "bytes"), field("deadline", "uint48")],
  },
  Terms: {
    Terms: [
      field("format", "uint16"),
      field("patientId", "bytes32"),
      field("grantee", "uint32"),
      field("compartments", "uint64"),
      field("purposes", "uint16"),
      field("notBefore", "uint48"),
      field("notAfter", "uint48"),
      field("recordedFrom", "uint32"),
      field("recordedTo", "uint32"),
      field("salt", "bytes32"),
    ],
  },
  Revocation: { Revocation: [field("patientId", "bytes32"), field("termsHash", "bytes32")] },
  Directive: {
    Directive: [
      field("patientId", "bytes32"),
      field("denyAll", "bool"),
      field("denyEmergency", "bool"),
      field("deniedCompartments", "uint64"),
      field("nonce", "uint64"),
      field("deadline", "uint48"),
    ],
  },
};

export interface Patient {
  wallet: Wallet;
  patientId: Hex;
}

export async function domainOf(chain: Chain, contract: "patients" | "consents"): Promise<TypedDataDomain> {
  return {
    name: contract === "patients" ? "chartseal PatientRegistry" : "chartseal ConsentRegistry",
    version: "1",
    chainId: (await chain.ethers.provider.getNetwork()).chainId,
    verifyingContract: await chain[contract].getAddress(),
  };
}

/** Registers a patient of hospital A with an ordinary key. */
export async function registerPatient(
  chain: Chain,
  label: string,
): Promise<{ patient: Patient; gas: number }> {
  const wallet = steadyWallet(label);
  const seed = steadyBytes(`seed of ${label}`);
  const patientId = (await chain.patients.patientIdOf(1, seed)) as Hex;
  const signed = { patientId, key: wallet.address, deadline: NOT_AFTER };
  const domain = await domainOf(chain, "patients");
  const possession = await wallet.signTypedData(domain, TYPES.PatientRegistry, signed);
  const gas = await gasOf(chain.patients.register(seed, wallet.address, possession, NOT_AFTER));
  return { patient: { wallet, patientId }, gas };
}

export interface BenchTerms {
  format: number;
  patientId: Hex;
  grantee: number;
  compartments: bigint;
  purposes: number;
  notBefore: number;
  notAfter: number;
  recordedFrom: number;
  recordedTo: number;
  salt: Hex;
}

/** Terms for hospital B: all compartments and days, for twenty years. */
export function termsOf(patient: Pick<Patient, "patientId">, label: string): BenchTerms {
  return {
    format: 1,
    patientId: patient.patientId,
    grantee: 2,
    compartments: ALL_COMPARTMENTS,
    purposes: 1 << TREAT,
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    recordedFrom: 0,
    recordedTo: 100_000,
    salt: steadyBytes(`terms ${label}`),
  };
}

export async function grant(chain: Chain, patient: Patient, terms: BenchTerms): Promise<number> {
  const signature = await patient.wallet.signTypedData(await domainOf(chain, "consents"), TYPES.Terms, terms);
  return await gasOf(chain.consents.grant(terms, signature));
}

/** As many grants as `count`, of one patient after the other; what each costs is not asked. */
export async function grantMany(chain: Chain, patients: readonly Patient[], count: number): Promise<void> {
  const domain = await domainOf(chain, "consents");
  const [from, to] = [chain.relay.address, await chain.consents.getAddress()];
  for (let n = 0; n < count; n++) {
    const patient = patients[n % patients.length]!;
    const terms = termsOf(patient, `many ${n}`);
    const signature = await patient.wallet.signTypedData(domain, TYPES.Terms, terms);
    const data = chain.consents.interface.encodeFunctionData("grant", [terms, signature]);
    await chain.connection.provider.request({
      method: "eth_sendTransaction",
      params: [{ from, to, data, gas: toBeHex(500_000) }],
    });
  }
}

export async function revoke(chain: Chain, patient: Patient, terms: BenchTerms): Promise<number> {
  const termsHash = await chain.consents.hashTerms(terms);
  const signed = { patientId: patient.patientId, termsHash };
  const signature = await patient.wallet.signTypedData(
    await domainOf(chain, "consents"),
    TYPES.Revocation,
    signed,
  );
  return await gasOf(chain.consents.revoke(patient.patientId, termsHash, signature));
}

/** Denies compartment 7, which no benchmark reads. */
export async function setDirective(chain: Chain, patient: Patient): Promise<number> {
  const { patientId, wallet } = patient;
  const { nonce } = await chain.consents.directiveOf(patientId);
  const signed = {
    patientId,
    denyAll: false,
    denyEmergency: false,
    deniedCompartments: 1n << 7n,
    nonce,
    deadline: NOT_AFTER,
  };
  const signature = await wallet.signTypedData(await domainOf(chain, "consents"), TYPES.Directive, signed);
  return await gasOf(
    chain.consents.setDirective(patientId, false, false, signed.deniedCompartments, NOT_AFTER, signature),
  );
}

/** Anchors a batch whose leaves nobody will show, only counted: no need to hash a million of them. */
export async function anchorBlind(chain: Chain, count: number): Promise<number> {
  const firstIndex = (await chain.records.headOf(1)) + 1n;
  const [root, manifest] = [steadyBytes(`root ${firstIndex}`), steadyBytes(`manifest ${firstIndex}`)];
  return await gasOf(chain.records.anchor(firstIndex, count, root, manifest));
}

export interface Entry {
  leaf: Leaf;
  firstIndex: number;
  count: number;
  proof: Hex[];
}
export interface Batch {
  gas: number;
  firstIndex: number;
  entry(position: number): Entry;
}

/** Anchors records of a patient in hospital A's log; `entry(n)` shows the n-th with its proof. */
export async function anchorRecords(
  chain: Chain,
  patient: Patient,
  count: number,
  change: Partial<Leaf> = {},
): Promise<Batch> {
  const firstIndex = Number(await chain.records.headOf(1)) + 1;
  const { leaves, tree } = steadyTree(patient, firstIndex, count, change);
  const manifest = steadyBytes(`manifest ${firstIndex}`);
  const gas = await gasOf(chain.records.anchor(firstIndex, count, toHex(tree.root), manifest));
  const entry = (position: number) => ({
    leaf: leaves[position]!,
    firstIndex,
    count,
    proof: tree.proof(position).map(toHex),
  });
  return { gas, firstIndex, entry };
}
/** Tries salts until neither the root nor the first entry's proof has a zero byte: the dearest case. */
function steadyTree(patient: Patient, firstIndex: number, count: number, change: Partial<Leaf>) {
  for (let attempt = 0; ; attempt++) {
    const leaves = Array.from({ length: count }, (_, position): Leaf => ({
      format: LEAF_FORMAT,
      memberId: 1,
      index: firstIndex + position,
      kind: LeafKind.RECORD,
      compartment: 1,
      recordedDay: 21_900,
      patientId: patient.patientId,
      patientSeq: 1 + position,
      ref: ZeroHash as Hex,
      contentDigest: steadyBytes(`body ${firstIndex + position}`),
      salt: steadyBytes(`salt ${firstIndex + position} ${attempt}`),
      ...change,
    }));
    const tree = MerkleTree.of(leaves.map(leafHash));
    if (![tree.root, ...tree.proof(0)].some((hash) => hash.includes(0))) return { leaves, tree };
  }
}

/** Requests the first `count` entries of a batch. */
export async function requestRecords(
  chain: Chain,
  terms: BenchTerms,
  batch: Batch,
  count: number,
  purpose = TREAT,
): Promise<number> {
  const entries = Array.from({ length: count }, (_, position) => batch.entry(position));
  return await gasOf(chain.accessLog.requestRecords(terms, purpose, entries));
}

/** Requests a whole chart up to the head of hospital A's log. */
export async function requestScope(chain: Chain, terms: BenchTerms): Promise<number> {
  const scope = {
    compartments: terms.compartments,
    recordedFrom: terms.recordedFrom,
    recordedTo: terms.recordedTo,
    upTo: await chain.records.headOf(1),
  };
  return await gasOf(chain.accessLog.requestScope(terms, TREAT, 1, scope));
}

/** `ref` of a leaf that amends the entry at `index`. */
export function amends(index: number): Partial<Leaf> {
  return { ref: toBeHex(index, 32) as Hex };
}

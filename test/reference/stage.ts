// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { AbiCoder, Interface, TypedDataEncoder, ZeroHash, id, keccak256, toBeHex } from "ethers";
import type { BaseContract, TypedDataDomain } from "ethers";
import { LeafKind, MerkleTree, toHex } from "../../src/crypto/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { connection, domain, ethers, leafWords, hashWords } from "../contracts/consortium.js";
import type { TestEntry, deployContracts } from "../contracts/consortium.js";
import { LIMITS } from "./acts.js";
import type { ActOf, Basis, Directive, Done, LogEntry, Signature, Terms } from "./acts.js";
import { ACCOUNTS, DIRECTIVES } from "./cast.js";
import { denialRef } from "./consent.js";
import { NO_REASON } from "./reasons.js";
import { signed, typesOf } from "./signatures.js";
import type { Signed } from "./signatures.js";

type Contracts = Awaited<ReturnType<typeof deployContracts>>;
const NAMES = {
  members: "MemberRegistry",
  patients: "PatientRegistry",
  records: "RecordRegistry",
  consents: "ConsentRegistry",
  orders: "LegalOrders",
  emergencies: "BreakGlass",
  accessLog: "AccessLog",
} as const;
export type ContractName = keyof typeof NAMES;
const KINDS = {
  record: LeafKind.RECORD,
  consent: LeafKind.CONSENT_DOCUMENT,
  order: LeafKind.LEGAL_ORDER,
  certificate: LeafKind.ERASURE_CERTIFICATE,
};
const GAS = toBeHex(10_000_000);

type Deadlined = { deadline: number } & Record<string, unknown>;
interface SentTerms {
  format: number;
  patientId: string;
  grantee: number;
  compartments: bigint;
  purposes: bigint;
  notBefore: number;
  notAfter: number;
  recordedFrom: number;
  recordedTo: number;
  salt: string;
}

/** A call as it is sent. */
export interface Call {
  from: string;
  contract: BaseContract;
  data: string;
}

/** The real contracts, and what the acts' names mean to them. */
export class Stage {
  readonly contracts: Contracts;
  readonly admin: string;
  /** Of each account that was enrolled: its member. */
  readonly members = new Map<string, number>();
  readonly #accounts = new Map<string, HardhatEthersSigner>();
  readonly #domains = new Map<ContractName, TypedDataDomain>();
  readonly #entries = new Map<LogEntry, TestEntry>();
  readonly #refs = new Map<string, string>();
  readonly #windows = new Map<number, SentTerms>();
  readonly #errors: Interface;

  private constructor(contracts: Contracts, admin: string) {
    this.contracts = contracts;
    this.admin = admin;
    const fragments = Object.keys(NAMES).flatMap((name) =>
      contracts[name as ContractName].interface.fragments.filter(({ type }) => type === "error"),
    );
    this.#errors = new Interface(fragments);
  }

  static async on(contracts: Contracts): Promise<Stage> {
    const [admin, ...accounts] = (await ethers.getSigners()).slice(2);
    const stage = new Stage(contracts, admin!.address);
    for (const [place, name] of ACCOUNTS.entries()) stage.#accounts.set(name, accounts[place]!);
    for (const name of Object.keys(NAMES) as ContractName[]) {
      stage.#domains.set(name, await domain(contracts[name], NAMES[name]));
    }
    return stage;
  }

  /** What a paper of these terms or denials refers to. */
  prepareRefs(terms: readonly Terms[]): void {
    for (const one of terms) this.#refs.set(one.name, this.hashOf({ terms: one }));
    for (const directive of DIRECTIVES) {
      for (let nonce = 0; nonce < 10; nonce++) {
        this.#refs.set(denialRef(directive, nonce), this.denialHash(directive, BigInt(nonce)));
      }
    }
  }

  account(name: string): HardhatEthersSigner {
    return this.#accounts.get(name)!;
  }

  async sign(contract: ContractName, signature: Signature, name: Signed, value: object): Promise<string> {
    return await signed(signature, this.#domains.get(contract)!, name, value);
  }

  /** A second person's signature, as the contracts take it. */
  async cosign(contract: ContractName, account: string, name: Signed, value: Deadlined) {
    const signer = this.account(account);
    const signature = await signer.signTypedData(this.#domains.get(contract)!, typesOf(name), value);
    return { account: signer.address, deadline: value.deadline, signature };
  }

  /** IDs that the contracts give. */
  patientId(patient: string): string {
    const custodian = patient === "other" ? 2 : 1;
    return keccak256(packed(custodian, id(patient)));
  }

  termsOf(basis: Basis): SentTerms {
    if ("window" in basis) return this.#windows.get(basis.window) ?? this.#unopened(basis.window);
    const { terms } = basis;
    return {
      format: 1,
      patientId: this.patientId(terms.patient),
      grantee: terms.grantee,
      compartments: bitmap(terms.compartments),
      purposes: bitmap(terms.purposes),
      notBefore: terms.notBefore,
      notAfter: terms.notAfter,
      recordedFrom: terms.recordedFrom,
      recordedTo: terms.recordedTo,
      salt: id(terms.name),
    };
  }

  /** Terms as BreakGlass would make them, of a window that was never opened. */
  #unopened(window: number) {
    return {
      ...this.#windowTerms(this.patientId("holder"), 1, 2),
      salt: toBeHex(window + 1, 32),
    };
  }

  #windowTerms(patientId: string, openedAt: number, grantee: number): SentTerms {
    return {
      format: 1,
      patientId,
      grantee,
      compartments: (1n << 64n) - 1n,
      purposes: 1n << 9n,
      notBefore: openedAt,
      notAfter: openedAt + LIMITS.windowLength,
      recordedFrom: 0,
      recordedTo: 2 ** 32 - 1,
      salt: ZeroHash,
    };
  }

  hashOf(basis: Basis): string {
    return TypedDataEncoder.hashStruct("Terms", typesOf("Terms"), this.termsOf(basis));
  }

  denialHash({ all, emergencies, compartments }: Directive, nonce: bigint): string {
    return keccak256(
      AbiCoder.defaultAbiCoder().encode(
        ["bool", "bool", "uint64", "uint64"],
        [all, emergencies, bitmap(compartments), nonce],
      ),
    );
  }

  entry(entry: LogEntry): TestEntry {
    return this.#entries.get(entry)!;
  }

  /** Batches the entries into one tree. @returns its root */
  batch(entries: readonly LogEntry[]): Uint8Array {
    const leaves = entries.map((entry) => this.#leafOf(entry));
    const tree = MerkleTree.of(leaves.map((leaf) => hashWords(leafWords(leaf))));
    for (const [position, entry] of entries.entries()) {
      const proof = tree.proof(position).map(toHex);
      this.#entries.set(entry, { leaf: leaves[position]!, firstIndex: 1, count: entries.length, proof });
    }
    return tree.root;
  }

  #leafOf({ member, index, kind, patient, compartment, day, ref }: LogEntry) {
    return {
      format: 1,
      memberId: member,
      index,
      kind: KINDS[kind],
      compartment,
      recordedDay: day,
      patientId: this.patientId(patient) as Hex,
      patientSeq: index,
      ref: (this.#refs.get(ref) ?? toBeHex(ref === "" ? 0 : ref, 32)) as Hex,
      contentDigest: id("content") as Hex,
      salt: id("salt") as Hex,
    };
  }

  /** In a block of that time. @returns the contracts' error, or undefined when it took effect */
  async send(call: Call, at: number): Promise<string | undefined> {
    await connection.provider.request({ method: "evm_setNextBlockTimestamp", params: [at] });
    return await this.#attempt("eth_sendTransaction", call);
  }

  /** In the newest block; nothing changes. */
  async ask(call: Call): Promise<string | undefined> {
    return await this.#attempt("eth_call", call, "latest");
  }

  /** The terms that BreakGlass made of what the colleague signed. */
  keepWindow(act: Done<ActOf<"breakGlass">>): void {
    const emergency = emergencyOf(this, act, act.at);
    const terms = this.#windowTerms(emergency.patientId, act.at, this.members.get(act.reader)!);
    const salt = TypedDataEncoder.hashStruct("Emergency", typesOf("Emergency"), emergency);
    this.#windows.set(act.window, { ...terms, salt });
  }

  async #attempt(method: string, { from, contract, data }: Call, ...block: string[]) {
    const to = contract.target;
    try {
      await connection.provider.request({ method, params: [{ from, to, data, gas: GAS }, ...block] });
      return undefined;
    } catch (error) {
      return this.#nameOf(error);
    }
  }

  #nameOf(error: unknown): string {
    const { data } = error as { data?: string };
    if (data === "0x") return NO_REASON;
    const parsed = data === undefined ? null : this.#errors.parseError(data);
    if (!parsed) throw error;
    return parsed.name;
  }
}

/** What a colleague signs. */
export function emergencyOf(
  stage: Stage,
  { patient, reader, window }: { patient: string; reader: string; window: number },
  at: number,
) {
  return {
    initiator: stage.account(reader).address,
    patientId: stage.patientId(patient),
    reasonDigest: id("reason"),
    nonce: toBeHex(window + 1, 32),
    deadline: at,
  };
}

export function bitmap(bits: readonly number[]): bigint {
  return bits.reduce((map, bit) => map | (1n << BigInt(bit)), 0n);
}

function packed(custodian: number, seed: string): string {
  return `${toBeHex(custodian, 4)}${seed.slice(2)}`;
}

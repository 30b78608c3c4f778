// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { solidityPackedKeccak256 } from "ethers";
import type { Call, Chain, Writer } from "../chain/index.js";
import { isHex, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { PatientDetails, PatientIdentifier, Vault } from "../vault/index.js";
import { signAs, typedData, type PatientSigner } from "./typed-data.js";

/** Seconds for which a device's proof of possession may be used. */
const POSSESSION_LIFETIME_SECONDS = 3_600;

export interface Enrolment {
  /** Business identifiers by which records are matched: they stay in the vault. */
  identifiers: readonly PatientIdentifier[];
  /** The patient's device. Left out: he has none, and consents on paper. */
  signer?: PatientSigner;
  /** For the hospital's staff; stays in the vault. */
  label?: string;
}

/** A member's own patients: pseudonyms on chain, identities in the vault. */
export class Patients {
  readonly #memberId: number;
  readonly #chain: Chain;
  readonly #vault: Vault;
  readonly #operator: () => Writer;

  constructor(parts: { memberId: number; chain: Chain; vault: Vault; operator: () => Writer }) {
    this.#memberId = parts.memberId;
    this.#chain = parts.chain;
    this.#vault = parts.vault;
    this.#operator = parts.operator;
  }

  /**
   * Registers a patient's pseudonym on chain and keeps his identifiers in the vault. Call it again with the same
   * identifiers after a call that was cut short: it goes on with the same pseudonym.
   * @returns the patient id
   * @throws ERR_PATIENT_AMBIGUOUS when an identifier is another patient's, ERR_CHAIN_REFUSED with the contract's
   * reason, ERR_RPC_UNAVAILABLE, ERR_TIMEOUT
   */
  async enrol(enrolment: Enrolment): Promise<Hex> {
    const owner = await this.#pendingOwner(enrolment.identifiers);
    return owner === undefined
      ? await this.#enrolNew(enrolment, false)
      : await this.#enrolAgain(owner, enrolment);
  }

  /**
   * A pseudonym for a patient whose device or guardians must sign elsewhere before he is registered: in the vault
   * only, until then. Call it again with the same identifiers for the same pseudonym.
   * @throws ERR_PATIENT_AMBIGUOUS, ERR_RPC_UNAVAILABLE
   */
  async reserve(enrolment: Omit<Enrolment, "signer">): Promise<{ patientId: Hex; seed: Hex }> {
    const { identifiers, label } = enrolment;
    const owner = await this.#pendingOwner(identifiers);
    const { patientId, seed } = owner === undefined ? this.#newPseudonym() : this.#vault.patient(owner);
    if (owner === undefined) {
      const details = label === undefined ? {} : { label };
      this.#vault.addPatient({ patientId, seed, identifiers, administrative: false, ...details });
    } else {
      for (const identifier of identifiers) this.#vault.addIdentifier(patientId, identifier);
      if (label !== undefined) this.#vault.updatePatient(patientId, { label });
    }
    return { patientId, seed: toHex(seed) };
  }

  /** Takes note of the key with which the chain has one of this member's patients sign. */
  async noteSigner(patientId: Hex): Promise<void> {
    if (!this.#vault.patients().some((own) => own.patientId === patientId)) return;
    this.#vault.updatePatient(patientId, { signer: (await this.#signerOnChain(patientId)) ?? null });
  }

  /** The custodian's own id, under which resources without a patient are filed. Made once. Throws as {@link enrol}. */
  async administrative(): Promise<Hex> {
    const known = this.#vault.administrativeId();
    if (known === undefined) return await this.#enrolNew({ identifiers: [] }, true);
    if (await this.#isPending(known)) await this.#register(this.#vault.patient(known).seed, known);
    return known;
  }

  /** Whose identifier this is; undefined for nobody's. */
  find(identifier: PatientIdentifier): Hex | undefined {
    return this.#vault.patientByIdentifier(identifier);
  }

  list(): PatientDetails[] {
    return this.#vault.patients();
  }

  async #enrolNew(enrolment: Enrolment, administrative: boolean): Promise<Hex> {
    const { signer, identifiers, label } = enrolment;
    const { patientId, seed } = this.#newPseudonym();
    const call = await this.#registration(seed, patientId, signer);
    // In the vault first: a pseudonym on chain whose identity was lost could never be used.
    this.#vault.addPatient({
      patientId,
      seed,
      identifiers,
      administrative,
      ...(label === undefined ? {} : { label }),
      ...(signer === undefined ? {} : { signer: bytesOf(signer) }),
    });
    try {
      await this.#operator().execute(call);
    } catch (error) {
      // Only the contract's own refusal says for certain that the pseudonym is not, and will not be, on chain.
      if (isContractsRefusal(error) && !administrative) this.#vault.removePatient(patientId);
      throw error;
    }
    return patientId;
  }

  /** Registers a pseudonym that is in the vault only, for what is asked now: the device may be another one. */
  async #enrolAgain(patientId: Hex, { signer, identifiers, label }: Enrolment): Promise<Hex> {
    for (const identifier of identifiers) this.#vault.addIdentifier(patientId, identifier);
    if (label !== undefined) this.#vault.updatePatient(patientId, { label });
    try {
      await this.#register(this.#vault.patient(patientId).seed, patientId, signer);
    } catch (error) {
      const mined = error instanceof ChartsealError && error.values["reason"] === "PatientAlreadyRegistered";
      if (!mined) throw error; // else the earlier call, believed lost, came through after all
    }
    const device = await this.#signerOnChain(patientId);
    this.#vault.updatePatient(patientId, { signer: device ?? null });
    if (device === (signer === undefined ? undefined : bytesOf(signer))) return patientId;
    throw new ChartsealError(
      "ERR_PATIENT_AMBIGUOUS",
      "the patient was enrolled meanwhile, with another device",
      {
        values: { patientId },
      },
    );
  }

  #newPseudonym(): { patientId: Hex; seed: Uint8Array } {
    const seed = randomBytes(32);
    const patientId = solidityPackedKeccak256(["uint32", "bytes32"], [this.#memberId, seed]) as Hex;
    return { patientId, seed };
  }

  /**
   * Whose identifiers these are, if a call was cut short before the chain had his pseudonym; undefined if nobody's.
   * @throws ERR_PATIENT_AMBIGUOUS
   */
  async #pendingOwner(identifiers: readonly PatientIdentifier[]): Promise<Hex | undefined> {
    const owners = new Set(identifiers.map((identifier) => this.#vault.patientByIdentifier(identifier)));
    owners.delete(undefined);
    const [owner, another] = owners;
    if (owner === undefined) return undefined;
    if (another === undefined && (await this.#isPending(owner))) return owner;
    throw new ChartsealError("ERR_PATIENT_AMBIGUOUS", "an enrolled patient has this identifier already", {
      values: { patientId: owner },
      hint: "`chartseal patient list` shows whose it is",
    });
  }

  async #signerOnChain(patientId: Hex): Promise<Hex | undefined> {
    const { signer } = await this.#chain.ask(() => this.#chain.patients.patientOf(patientId));
    return signer === "0x" ? undefined : (signer as Hex);
  }

  async #register(seed: Uint8Array, patientId: Hex, signer?: PatientSigner): Promise<void> {
    await this.#operator().execute(await this.#registration(seed, patientId, signer));
  }

  /** True when a call was cut short before the chain had the pseudonym. */
  async #isPending(patientId: Hex): Promise<boolean> {
    const { custodian } = await this.#chain.ask(() => this.#chain.patients.patientOf(patientId));
    return custodian === 0n;
  }

  async #registration(seed: Uint8Array, patientId: Hex, signer?: PatientSigner): Promise<Call> {
    const { patients, deployment } = this.#chain;
    // Without a device nothing is signed, and no deadline counts.
    const deadline = signer === undefined ? 0 : (await this.#chain.time()) + POSSESSION_LIFETIME_SECONDS;
    const bytes = signer === undefined ? "0x" : bytesOf(signer);
    const message = { patientId, key: bytes, deadline };
    const possession =
      signer === undefined
        ? "0x"
        : await signAs(signer, typedData(deployment, "patients", "PatientSigner", message));
    return await this.#chain.ask(() =>
      patients.register.populateTransaction(seed, bytes, possession, deadline),
    );
  }
}

/** ERC-7913: an address of 20 bytes, perhaps followed by a key. */
function bytesOf({ signer }: PatientSigner): Hex {
  const lower = signer.toLowerCase();
  if (isHex(lower) && lower.length >= 42) return lower;
  throw new ChartsealError(
    "ERR_USAGE",
    "a patient's signer is an address, or a verifier's address and a key, as hex",
  );
}

function isContractsRefusal(error: unknown): boolean {
  if (!(error instanceof ChartsealError) || error.code !== "ERR_CHAIN_REFUSED") return false;
  const { reason } = error.values;
  return reason !== undefined && reason !== "NONCE_USED";
}

// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { solidityPackedKeccak256 } from "ethers";
import type { Chain, Writer } from "../chain/index.js";
import { toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { PatientDetails, PatientIdentifier, Vault } from "../vault/index.js";
import { signAs, typedData, type PatientSigner } from "./typed-data.js";

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
   * Registers a patient's pseudonym on chain and keeps his identifiers in the vault.
   * @returns the patient id
   * @throws ERR_PATIENT_AMBIGUOUS when an identifier is another patient's, ERR_CHAIN_REFUSED
   */
  async enrol(enrolment: Enrolment): Promise<Hex> {
    for (const identifier of enrolment.identifiers) {
      if (this.#vault.patientByIdentifier(identifier) === undefined) continue;
      throw new ChartsealError("ERR_PATIENT_AMBIGUOUS", "an enrolled patient has this identifier already", {
        hint: "`chartseal patient list` shows whose it is",
      });
    }
    return await this.#register(enrolment, false);
  }

  /** The custodian's own id, under which resources without a patient are filed. Made once. */
  async administrative(): Promise<Hex> {
    return this.#vault.administrativeId() ?? (await this.#register({ identifiers: [] }, true));
  }

  /** Whose identifier this is; undefined for nobody's. */
  find(identifier: PatientIdentifier): Hex | undefined {
    return this.#vault.patientByIdentifier(identifier);
  }

  list(): PatientDetails[] {
    return this.#vault.patients();
  }

  async #register(enrolment: Enrolment, administrative: boolean): Promise<Hex> {
    const { signer, identifiers, label } = enrolment;
    const seed = randomBytes(32);
    const patientId = solidityPackedKeccak256(["uint32", "bytes32"], [this.#memberId, seed]) as Hex;
    const deadline = Math.floor(Date.now() / 1000) + 3_600;
    const possession =
      signer === undefined
        ? "0x"
        : await signAs(
            signer,
            typedData(this.#chain.deployment, "patients", "PatientSigner", {
              patientId,
              signer: signer.signer,
              deadline,
            }),
          );
    const { patients } = this.#chain;
    const call = await patients.register.populateTransaction(seed, signer?.signer ?? "0x", possession, deadline);
    // In the vault first: a pseudonym on chain whose identity was lost could never be used.
    this.#vault.addPatient({
      patientId,
      seed,
      identifiers,
      administrative,
      ...(label === undefined ? {} : { label }),
      ...(signer === undefined ? {} : { signer: toHex(Buffer.from(signer.signer.slice(2), "hex")) }),
    });
    try {
      await this.#operator().execute(call);
    } catch (error) {
      // Only a refusal says for certain that the pseudonym is not, and will not be, on chain.
      if (error instanceof ChartsealError && error.code === "ERR_CHAIN_REFUSED") {
        this.#vault.removePatient(patientId);
      }
      throw error;
    }
    return patientId;
  }
}

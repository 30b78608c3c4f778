// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/bytes.js";
import type { Database } from "../sqlite.js";
import { Backups } from "./backups.js";
import { CompartmentNames } from "./compartment-names.js";
import { type ContentKey, ContentKeys } from "./content-keys.js";
import { readHeader, writeHeader } from "./header.js";
import { type MemberKey, MemberKeys } from "./member-keys.js";
import { Merges } from "./merges.js";
import { askPassphrase, type Unlock } from "./passphrase.js";
import { type NewPatient, type PatientDetails, type PatientIdentifier, Patients } from "./patients.js";
import { Releases } from "./releases.js";
import { Settings } from "./settings.js";
import { StaffKeys } from "./staff-keys.js";
import { createVaultFile, openVaultFile, type UnlockedFile } from "./vault-file.js";
import type { VaultKeys } from "./vault-keys.js";
import { Withdrawals } from "./withdrawals.js";

/**
 * A member's vault: the only place of keys and pseudonyms, one SQLite file. Several processes of the member may
 * have it open. Whoever reads the file (with its `-wal` and `-shm`) without the passphrase learns no name,
 * identifier, key or compartment. Whoever may *write* it can still delete rows or bring back old ones; a changed
 * or moved value is ERR_VAULT_DAMAGED.
 *
 * Any method may also throw ERR_TIMEOUT (retryable: another process holds the file for over 10 seconds),
 * ERR_STORE_FULL, ERR_STORE_FAILED, ERR_VAULT_DAMAGED, and ERR_VAULT_LOCKED or ERR_USAGE after dispose.
 * Returned keys are copies: the caller zeroes them.
 * @example
 * using vault = await Vault.open("a/vault.db", credential("/run/credentials/chartseal.service/vault"));
 * const contentKey = vault.keyOf(recordId);
 */
export class Vault implements Disposable {
  /** What patients withdrew by telling this member. */
  readonly withdrawals: Withdrawals;
  readonly #database: Database;
  readonly #keys: VaultKeys;
  readonly #contentKeys: ContentKeys;
  readonly #settings: Settings;
  readonly #patients: Patients;
  readonly #memberKeys: MemberKeys;
  readonly #staffKeys: StaffKeys;
  readonly backups: Backups;
  readonly merges: Merges;
  readonly releases: Releases;

  private constructor({ database, keys }: UnlockedFile) {
    this.#database = database;
    this.#keys = keys;
    this.#contentKeys = new ContentKeys(database, keys);
    this.#settings = new Settings(database, keys);
    this.#patients = new Patients(
      database,
      keys,
      this.#settings,
      new CompartmentNames(database, this.#settings),
    );
    this.merges = new Merges(database, this.#patients);
    this.#memberKeys = new MemberKeys(database, keys);
    this.#staffKeys = new StaffKeys(database, keys);
    this.backups = new Backups(database, keys, this.#settings);
    this.releases = new Releases(database, keys, this.backups);
    this.withdrawals = new Withdrawals(database, this.#settings);
  }

  /**
   * Makes a new vault under a new passphrase. Call {@link Vault.open} next.
   * @throws ERR_CONFIG_INVALID when `path` exists or its folder does not
   * @throws ERR_USAGE for a passphrase under 12 characters
   */
  static async create(path: string, unlock: Unlock): Promise<void> {
    await createVaultFile(path, unlock);
  }

  /**
   * Unlocks a vault; takes about half a second and 128 MiB (scrypt).
   * @throws ERR_VAULT_LOCKED for a wrong or missing passphrase
   * @throws ERR_CONFIG_INVALID when there is no vault at `path`
   * @throws ERR_FORMAT_UNSUPPORTED, ERR_VAULT_DAMAGED
   */
  static async open(path: string, unlock: Unlock): Promise<Vault> {
    return new Vault(await openVaultFile(path, unlock));
  }

  get path(): string {
    return this.#database.path;
  }

  /** Writes a copy, keys and all, for another agent of this member: it opens with the same passphrase. */
  copyTo(path: string): void {
    this.#database.copyTo(path);
  }

  /**
   * Wraps the master key under a new passphrase. Copies of the file made before still open with the old one.
   * @throws ERR_USAGE for a passphrase under 12 characters
   */
  async changePassphrase(unlock: Unlock): Promise<void> {
    const { cost } = readHeader(this.#database);
    const passphrase = await askPassphrase(unlock, "choose");
    try {
      await writeHeader(this.#database, passphrase, this.#keys.master, cost);
    } finally {
      passphrase.fill(0);
    }
    this.#database.truncateLog();
  }

  /** 32 bytes that encrypt the ingest journal's bodies. */
  journalKey(): Uint8Array {
    return this.#keys.subKey("journal").slice();
  }

  /** 32 bytes for the ingest journal's HMAC that finds an item taken before. */
  dedupeKey(): Uint8Array {
    return this.#keys.subKey("dedupe").slice();
  }

  /** 32 bytes for the HMACs that authenticate the ingest journal's rows. */
  rowKey(): Uint8Array {
    return this.#keys.subKey("rows").slice();
  }

  /**
   * Stores content keys, all or none. The same pair again is fine.
   * @throws ERR_USAGE when a record has another key already or a length is wrong
   * @throws ERR_KEY_ERASED for a record whose key was erased
   */
  putKeys(contentKeys: Iterable<ContentKey>): void {
    this.backups.requireReconciled();
    this.#contentKeys.put(contentKeys);
  }

  /**
   * The 32-byte content key of a record (16 bytes).
   * @throws ERR_KEY_ERASED after {@link Vault.eraseKey}
   * @throws ERR_KEY_MISSING when there never was one here
   */
  keyOf(recordId: Uint8Array): Uint8Array {
    this.backups.requireReconciled();
    return this.#contentKeys.get(recordId);
  }

  /** Every record that ever had a key here, oldest first, and whether that was erased. */
  records(): Generator<{ recordId: Uint8Array; erased: boolean }> {
    return this.#contentKeys.records();
  }

  /** {@link Vault.eraseKeys} for one record. */
  eraseKey(recordId: Uint8Array): void {
    this.#contentKeys.erase([recordId]);
  }

  /**
   * Overwrites the wrapped keys, all or none, in the file and its write-ahead log; may be repeated. Blocks that
   * the file system freed, and older copies of the file, still hold them: {@link Vault.rotateKek} makes those
   * useless where the old key-encryption key was not copied too.
   * @throws ERR_KEY_MISSING for a record that never had a key here
   * @throws ERR_TIMEOUT (retryable) when the log could not be cut yet: the keys are gone, call again for the log
   */
  eraseKeys(recordIds: Iterable<Uint8Array>): void {
    this.#contentKeys.erase(recordIds);
  }

  /**
   * Wraps every content key under a new key-encryption key and erases the old one, some 10,000 a second; ingest
   * and release can go on meanwhile. A call cut short is made good by the next.
   * @returns how many keys were wrapped anew
   */
  rotateKek(): Promise<number> {
    return this.#contentKeys.rotate();
  }

  /**
   * Enrols a patient. An identifier's system and value are trimmed and brought to Unicode NFC.
   * @throws ERR_PATIENT_AMBIGUOUS when an identifier belongs to another patient (nothing is stored then)
   * @throws ERR_USAGE when the id is there already, an identifier is empty or a length is wrong
   */
  addPatient(patient: NewPatient): void {
    this.#patients.add(patient);
  }

  /** Forgets a patient whose registration the chain refused. @throws ERR_PATIENT_UNKNOWN */
  removePatient(patientId: Hex): void {
    this.#patients.remove(patientId);
  }

  /** Sets what is given; null removes it. @throws ERR_PATIENT_UNKNOWN */
  updatePatient(patientId: Hex, changes: { label?: string | null; signer?: Hex | null }): void {
    this.#patients.update(patientId, changes);
  }

  /** @throws ERR_PATIENT_UNKNOWN, ERR_PATIENT_AMBIGUOUS when it belongs to another patient */
  addIdentifier(patientId: Hex, identifier: PatientIdentifier): void {
    this.#patients.addIdentifier(patientId, identifier);
  }

  /** False when the patient has no such identifier. */
  removeIdentifier(patientId: Hex, identifier: PatientIdentifier): boolean {
    return this.#patients.removeIdentifier(patientId, identifier);
  }

  /**
   * Stays the same as long as neither this process nor another changed whom an identifier names; else it may differ.
   */
  get identitiesVersion(): string {
    return `${this.#database.version()} ${this.#patients.changes}`;
  }

  /** Whose identifier this is; undefined for nobody's. */
  patientByIdentifier(identifier: PatientIdentifier): Hex | undefined {
    return this.#patients.byIdentifier(identifier);
  }

  /** @throws ERR_PATIENT_UNKNOWN */
  patient(patientId: Hex): PatientDetails {
    return this.#patients.get(patientId);
  }

  patients(): PatientDetails[] {
    return this.#patients.all();
  }

  /** The custodian's own id, which holds resources without a patient. */
  administrativeId(): Hex | undefined {
    return this.#patients.administrativeId();
  }

  /** @throws ERR_PATIENT_UNKNOWN */
  setAdministrativeId(patientId: Hex): void {
    this.#patients.setAdministrativeId(patientId);
  }

  /**
   * The number 0..63 that compartment `name` has for this patient, always the same; a new name gets a free one.
   * @throws ERR_PATIENT_UNKNOWN
   * @throws ERR_USAGE for an unsuitable name or a 65th one
   */
  compartmentOf(patientId: Hex, name: string): number {
    return this.#patients.compartmentOf(patientId, name);
  }

  /** Every compartment name with this patient's number for it. @throws ERR_PATIENT_UNKNOWN */
  compartments(patientId: Hex): Record<string, number> {
    return this.#patients.compartments(patientId);
  }

  /** @throws ERR_USAGE when the epoch has another key already */
  addMemberKey(key: MemberKey): void {
    this.#memberKeys.add(key);
  }

  /** 32 bytes. @throws ERR_KEY_MISSING for an epoch without a key here */
  memberSecretKey(epoch: number): Uint8Array {
    return this.#memberKeys.secretKey(epoch);
  }

  /** @throws ERR_KEY_MISSING for an epoch without a key here */
  memberPublicKey(epoch: number): Uint8Array {
    return this.#memberKeys.publicKey(epoch);
  }

  /** The newest key epoch; undefined before the first. */
  currentEpoch(): number | undefined {
    return this.#memberKeys.currentEpoch();
  }

  /** Stores or replaces a staff member's private key (32 bytes as hex). @throws ERR_USAGE */
  putStaffKey(name: string, privateKey: Hex): void {
    this.#staffKeys.put(name, privateKey);
  }

  /** @throws ERR_KEY_MISSING when there is none of this name */
  staffKey(name: string): Hex {
    return this.#staffKeys.get(name);
  }

  /** False when there was none of this name. */
  removeStaffKey(name: string): boolean {
    return this.#staffKeys.remove(name);
  }

  staffKeyNames(): string[] {
    return this.#staffKeys.names();
  }

  getSecret(name: string): Uint8Array | undefined {
    return this.#settings.get(`secret/${name}`);
  }

  setSecret(name: string, value: Uint8Array): void {
    this.#settings.set(`secret/${name}`, value);
  }

  /** Closes the file and zeroes the keys. */
  [Symbol.dispose](): void {
    this.#contentKeys[Symbol.dispose]();
    this.#keys[Symbol.dispose]();
    this.#database.close();
  }
}

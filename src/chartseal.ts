// SPDX-License-Identifier: Apache-2.0
import {
  Access,
  Emergencies,
  copyVault,
  lookUp,
  openExchange,
  openOwnRecords,
  readTls,
  runAgentService,
  type Exchange,
  type LookupOptions,
  type LookupResult,
  type OwnRecords,
  type ReleaseAgentOptions,
} from "./access/index.js";
import { keyNames, type Acting } from "./acting.js";
import { Acts, Attestations } from "./acts/index.js";
import {
  accounting,
  disclosures,
  type Accounting,
  type AccountingOptions,
  type Audit,
  type DisclosuresOptions,
} from "./audit/index.js";
import { ENTRY_STATUS, Chain, Writer, keySigner, type StaffSigner } from "./chain/index.js";
import { loadConfig, memberIdOf, type Config } from "./config.js";
import { Consent, Patients } from "./consent/index.js";
import type { Receipt } from "./crypto/index.js";
import {
  anchorDocument,
  fileDocument,
  ingest,
  retry,
  type AnchorDocumentOptions,
  type IngestOptions,
  type IngestResult,
  type Source,
  type SupportingDocument,
} from "./ingest/index.js";
import { Erasures, Holds } from "./lifecycle/index.js";
import type { ListenOptions, Listener } from "./listen/index.js";
import { Members } from "./members/index.js";
import {
  Entries,
  Journal,
  verifyLog,
  type AnchoredEntry,
  type LogVerdict,
  type VerifyLogOptions,
} from "./records/index.js";
import { openStore, type BlobStore } from "./storage/index.js";
import { Vault, type PatientIdentifier, type Unlock } from "./vault/index.js";

export interface OpenOptions {
  unlock: Unlock;
  as?: Acting;
}

/**
 * One member's chartseal: its vault, journal and store, and the consortium's chain.
 * @example
 * await using hospital = await Chartseal.open("a/chartseal.json", { unlock: credential("/run/credentials/vault") });
 * const run = await hospital.ingest(await sourceFor("export.ndjson"));
 */
export class Chartseal implements AsyncDisposable {
  readonly config: Config;
  readonly chain: Chain;
  readonly vault: Vault;
  readonly store: BlobStore;
  readonly journal: Journal;
  readonly exchange: Exchange;
  readonly members: Members;
  readonly consent: Consent;
  #patients: Patients | undefined;
  #access: Access | undefined;
  readonly #acting: Required<Acting>;
  readonly #writers = new Map<string, Writer>();
  readonly #reader = () => ({ writer: this.writer("clinician"), signer: this.signer("clinician") });

  private constructor(config: Config, vault: Vault, store: BlobStore, exchange: Exchange, acting: Acting) {
    this.config = config;
    this.vault = vault;
    this.store = store;
    this.#acting = keyNames(acting);
    this.chain = Chain.open(config.chain);
    this.journal = Journal.open(config.journal, vault);
    this.exchange = exchange;
    this.members = new Members(this.chain);
    this.consent = new Consent(this.chain, () => this.writer("operator"));
  }

  /** This member's id. @throws ERR_CONFIG_INVALID before `chartseal member join` */
  get memberId(): number {
    return memberIdOf(this.config);
  }

  /** This member's own patients. @throws ERR_CONFIG_INVALID before `chartseal member join` */
  get patients(): Patients {
    const { memberId, chain, vault } = this;
    this.#patients ??= new Patients({ memberId, chain, vault, operator: () => this.writer("operator") });
    return this.#patients;
  }

  /** Other members' records. @throws ERR_CONFIG_INVALID before `chartseal member join` */
  get access(): Access {
    const { memberId, chain, vault, store, exchange } = this;
    this.#access ??= new Access({ memberId, chain, vault, store, exchange, reader: this.#reader });
    return this.#access;
  }

  /** A patient's own records, on his signature. See {@link openOwnRecords}. */
  async ownRecords(custodian = this.memberId): Promise<OwnRecords> {
    const { memberId, chain, store, config } = this;
    const answering = () => this.#answeringParts();
    return await openOwnRecords({ memberId, chain, store, exchange: config.exchange, answering }, custodian);
  }

  /** Looks for a patient at other members, by an identifier that only those learn who hold it. See {@link lookUp}. */
  async findPatient(identifier: PatientIdentifier, options: LookupOptions): Promise<LookupResult[]> {
    const { memberId, chain, exchange } = this;
    return await lookUp({ memberId, chain, exchange, reader: this.#reader }, identifier, options);
  }

  /** What several people sign, relayed by an account of this member. */
  acts(role: keyof Acting = "operator"): Acts {
    return new Acts(this.chain, () => this.writer(role));
  }

  /** What two persons of staff attest together: consent on paper, legal orders. */
  get attestations(): Attestations {
    return new Attestations(this.chain);
  }

  /** Emergencies: a clinician breaks the glass, a reviewer justifies and reviews. */
  emergencies(role: "clinician" | "reviewer"): Emergencies {
    return new Emergencies(this.chain, () => this.writer(role));
  }

  /** Legal holds: placed by the operator, lifted by him or by another member's reviewer. */
  holds(role: "operator" | "reviewer" = "operator"): Holds {
    const { memberId, chain, journal } = this;
    return new Holds({ memberId, chain, journal, writer: () => this.writer(role) });
  }

  /** Erasing records for good. */
  get erasures(): Erasures {
    return new Erasures({ ...this.#ingestParts(), exchange: this.exchange });
  }

  /**
   * Opens a member's parts. The chain is first asked when it is needed, so that records can be taken while it is down.
   * @param path chartseal.json
   * @throws ERR_CONFIG_INVALID, ERR_VAULT_LOCKED, ERR_VAULT_DAMAGED, ERR_FORMAT_UNSUPPORTED, ERR_STORE_FAILED
   */
  static async open(path: string, { unlock, as = {} }: OpenOptions): Promise<Chartseal> {
    const config = await loadConfig(path);
    const vault = await Vault.open(config.vault, unlock);
    try {
      const exchange = await openExchange(config.exchange, config.member.id);
      return new Chartseal(config, vault, await openStore(config.store), exchange, as);
    } catch (error) {
      vault[Symbol.dispose]();
      throw error;
    }
  }

  /** @throws ERR_KEY_MISSING when the vault has no key of that name */
  signer(role: keyof Acting): StaffSigner {
    return keySigner(this.vault.staffKey(this.#acting[role]));
  }

  /** The one writer of an account in this process: it owns the account's nonces. */
  writer(role: keyof Acting): Writer {
    const name = this.#acting[role];
    const known = this.#writers.get(name);
    if (known !== undefined) return known;
    const writer = new Writer(this.chain, this.signer(role));
    this.#writers.set(name, writer);
    return writer;
  }

  /** Takes and anchors all items of a source. See {@link ingest}. */
  async ingest(source: Source, options: IngestOptions = {}): Promise<IngestResult> {
    return await ingest(this.#ingestParts(), source, options);
  }

  /** Anchors what earlier runs left. See {@link retry}. */
  async retry(options: IngestOptions & { dead?: boolean } = {}): Promise<IngestResult> {
    return await retry(this.#ingestParts(), options);
  }

  /** Takes items day and night: HL7 v2 over MLLP, FHIR over HTTP, files of an outbox. See {@link listen}. */
  async listen(options: ListenOptions): Promise<Listener> {
    // Loaded when it is needed: an ingest must not carry a server.
    const { listen } = await import("./listen/index.js");
    return await listen(this.#ingestParts(), options);
  }

  /**
   * A refused item (ERR_PATIENT_CHANGED) is right: what was filed under its source key before, under the wrong patient,
   * is retracted, and the item anchored anew, with no link on chain.
   * @param item its number in the journal
   * @throws ERR_USAGE when it was not refused for that
   */
  async refile(item: number, options: IngestOptions = {}): Promise<IngestResult> {
    return await retry(this.#ingestParts(), { ...options, misfiled: item });
  }

  /** Makes evidence of an act durable; the next that anchors takes it along. See {@link fileDocument}. */
  async fileDocument(document: SupportingDocument): Promise<number> {
    const { memberId, vault, store, journal } = this;
    return await fileDocument({ memberId, vault, store, journal }, document);
  }

  /** Anchors evidence of an act, so that a contract can check it. See {@link anchorDocument}. */
  async anchorDocument(
    document: SupportingDocument,
    options?: AnchorDocumentOptions,
  ): Promise<AnchoredEntry> {
    return await anchorDocument(this.#ingestParts(), document, options);
  }

  /** Evidence that an entry stands in this member's log. @throws ERR_USAGE when it does not */
  receipt(index: number): Receipt {
    return new Entries(this.journal, this.memberId).receipt(index, this.chain);
  }

  /**
   * Marks an entry as entered in error. Readers are refused it from now on; the same bytes may be ingested again,
   * under the right patient.
   * @throws ERR_CHAIN_REFUSED
   */
  async retract(index: number): Promise<void> {
    const entry = new Entries(this.journal, this.memberId).at(index);
    // A call that was cut short may have left the mark on chain only.
    const status = await this.chain.ask(() => this.chain.records.statusOf(this.memberId, index));
    if ((Number(status) & ENTRY_STATUS.RETRACTED) === 0) {
      await this.writer("operator").execute(await this.chain.records.retract.populateTransaction(entry));
    }
    this.journal.retract(index);
  }

  /** Verifies a member's whole log; default: this member's. */
  async verifyLog(memberId = this.memberId, options: VerifyLogOptions = {}): Promise<LogVerdict> {
    return await verifyLog({ chain: this.chain, store: this.store }, memberId, options);
  }

  /** Who did what with a patient's records, or what one clinician or member did. See {@link disclosures}, {@link accounting}. */
  get audit(): {
    disclosures(options: Omit<DisclosuresOptions, "chain" | "vault" | "journal">): Promise<Audit>;
    accounting(options: Omit<AccountingOptions, "chain" | "vault" | "journal" | "own">): Promise<Accounting>;
  } {
    const { chain, vault, journal } = this;
    return {
      disclosures: async (options) => await disclosures({ ...options, chain, vault, journal }),
      accounting: async (options) => {
        const own = vault.patients().map(({ patientId }) => patientId);
        return await accounting({ ...options, chain, vault, journal, own });
      },
    };
  }

  /** Answers other members until the signal aborts. See {@link runAgents}. */
  async runReleaseAgent(options: ReleaseAgentOptions): Promise<void> {
    const { exchange } = this;
    const tls = await readTls(this.config.exchange.tls);
    const writer = this.writer("releaser");
    await runAgentService({ ...this.#answeringParts(), exchange, writer, tls }, options);
  }

  /** Copies vault and journal for a standby release agent. See {@link copyVault}. */
  async copyVault(folder: string): Promise<void> {
    await copyVault(this, folder);
  }

  #answeringParts() {
    const { memberId, chain, vault, journal } = this;
    const fileReceipt = (receipt: SupportingDocument) => this.fileDocument(receipt);
    const signer = this.signer("releaser");
    return { memberId, chain, vault, journal, state: vault, files: true, fileReceipt, signer };
  }

  #ingestParts() {
    const { vault, store, journal, chain } = this;
    const memberId = this.memberId;
    return { memberId, vault, store, journal, chain, writer: this.writer("operator") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.journal[Symbol.dispose]();
    this.vault[Symbol.dispose]();
    this.chain[Symbol.dispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

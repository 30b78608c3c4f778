// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { TypedDataEncoder, getAddress, type Log, type Result } from "ethers";
import { collectLogs, type Chain, type StaffSigner, type Writer } from "../chain/index.js";
import { hashTerms, typedData, type GrantTicket, type TypedData } from "../consent/index.js";
import { fromHex, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { VERDICTS, concerns, type EmergencyVerdict, type EmergencyWindow } from "./emergency-window.js";
import { termsOf } from "./grant-terms.js";

/** Seconds for which a colleague's signature can be used. */
const COSIGNATURE_LIFETIME = 10 * 60;

/** A text whose digest is on chain: only who holds text and salt can show what was said, and nobody can guess it. */
export interface Statement {
  /** 32 random bytes. */
  salt: Hex;
  /** SHA-256 of the salt, then the text in UTF-8. */
  digest: Hex;
}

/** An emergency as its initiator prepares it, for a colleague to sign. No secret, no PHI. */
export interface PreparedEmergency {
  patient: Hex;
  /** Account of who will read. */
  initiator: Hex;
  reason: Statement;
  /** 32 random bytes: each signature opens one window. */
  nonce: Hex;
  /** Unix seconds, inclusive. */
  deadline: number;
  /** What the colleague signs. */
  typedData: TypedData;
}

/** Emergencies: opening a window with a colleague, and accounting for it. */
export class Emergencies {
  readonly #chain: Chain;
  readonly #writer: () => Writer;

  /** @param writer The clinician who breaks the glass, or the REVIEWER who justifies or reviews */
  constructor(chain: Chain, writer: () => Writer) {
    this.#chain = chain;
    this.#writer = writer;
  }

  /**
   * Prepares an emergency for a colleague's signature, good for ten minutes of chain time.
   * @param reason Why; stays off chain: keep it together with `reason.salt`
   * @throws ERR_USAGE for an empty reason, ERR_RPC_UNAVAILABLE
   */
  async prepare(patient: Hex, initiator: Hex, reason: string): Promise<PreparedEmergency> {
    const stated = statement(reason);
    const deadline = (await this.#chain.time()) + COSIGNATURE_LIFETIME;
    const nonce = toHex(randomBytes(32));
    const fields = { patient, initiator, reason: stated, nonce, deadline };
    return { ...fields, typedData: this.#dataOf(fields) };
  }

  /** The colleague's signature, where his key is at hand. */
  async countersign({ typedData: data }: PreparedEmergency, colleague: StaffSigner): Promise<Hex> {
    return (await colleague.signTypedData(data.domain, data.types, data.message)) as Hex;
  }

  /**
   * Opens the window; one that these two opened by the same signature before is found again, for its ticket may be lost.
   * @returns a ticket for {@link Access}, with purpose BTG; its terms hash names the window
   * @throws ERR_ACCESS_DENIED with the contract's reason, ERR_RPC_UNAVAILABLE
   */
  async breakGlass(
    prepared: Omit<PreparedEmergency, "initiator" | "typedData">,
    colleague: { account: Hex; signature: Hex },
  ): Promise<GrantTicket> {
    const { emergencies, patients } = this.#chain;
    const { patient, reason, nonce, deadline } = prepared;
    const call = await this.#chain.ask(() =>
      emergencies.breakGlass.populateTransaction(patient, reason.digest, nonce, { ...colleague, deadline }),
    );
    const log = await this.#writer()
      .execute(call, "ERR_ACCESS_DENIED")
      .then(
        ({ logs }) =>
          logs.find(({ address }) => address.toLowerCase() === this.#chain.deployment.emergencies),
        (refusal: unknown) => this.#openedBefore(refusal, prepared, colleague.account),
      );
    const terms = termsOf((log && emergencies.interface.parseLog(log))?.args["terms"] as Result);
    const custodian = await this.#chain.ask(() => patients.custodianOf(patient));
    return { format: 1, terms, termsHash: hashTerms(terms), custodian: Number(custodian) };
  }

  /**
   * Every window, oldest first; of one patient, or of one member as reader, colleague or custodian, and those of others
   * whose overdue review it may take over; of those that came from `fromBlock` on.
   */
  async list(
    filter: { patient?: Hex; member?: number; fromBlock?: number } = {},
  ): Promise<EmergencyWindow[]> {
    const { emergencies, deployment } = this.#chain;
    const opened = ["GlassBroken", "LateReleaseFiled"].map(
      (event) => emergencies.interface.getEvent(event as "GlassBroken").topicHash,
    );
    const logs = await collectLogs(this.#chain, {
      address: deployment.emergencies,
      topics: [opened, null, filter.patient ?? null],
      ...(filter.fromBlock === undefined ? {} : { fromBlock: filter.fromBlock }),
    });
    const { member } = filter;
    const windows = await this.windows(logs.map((log) => log.topics[1] as Hex));
    return windows.filter((found) => member === undefined || concerns(found, member));
  }

  /** These windows as they stand now. @throws ERR_RPC_UNAVAILABLE */
  async windows(windowIds: readonly Hex[]): Promise<EmergencyWindow[]> {
    if (windowIds.length === 0) return [];
    const limits = await this.#chain.ask(() => this.#chain.emergencies.limits());
    const now = await this.#chain.time();
    const windows: EmergencyWindow[] = [];
    for (const windowId of windowIds) windows.push(await this.#window(windowId, limits, now));
    return windows;
  }

  /**
   * Files the reader's member's account of a window. By a REVIEWER of that member.
   * @returns the statement's salt and digest: keep the text with the salt
   * @throws ERR_USAGE, ERR_CHAIN_REFUSED with the contract's reason, ERR_RPC_UNAVAILABLE
   */
  async justify(windowId: Hex, text: string): Promise<Statement> {
    const stated = statement(text);
    const { emergencies } = this.#chain;
    await this.#writer().execute(
      await this.#chain.ask(() => emergencies.justify.populateTransaction(windowId, stated.digest)),
    );
    return stated;
  }

  /** Reviews a window. By a REVIEWER of the custodian, or of neither member once that is overdue. As {@link justify}. */
  async review(windowId: Hex, verdict: EmergencyVerdict, text: string): Promise<Statement> {
    const stated = statement(text);
    const { emergencies } = this.#chain;
    const number = VERDICTS.indexOf(verdict);
    await this.#writer().execute(
      await this.#chain.ask(() => emergencies.review.populateTransaction(windowId, number, stated.digest)),
    );
    return stated;
  }

  /** Flags a window whose justification is overdue. By anyone. */
  async flagOverdue(windowId: Hex): Promise<void> {
    const { emergencies } = this.#chain;
    await this.#writer().execute(
      await this.#chain.ask(() => emergencies.flagOverdue.populateTransaction(windowId)),
    );
  }

  /** The event of the window that the same two opened by the same signature. @throws the refusal, where there is none */
  async #openedBefore(
    refusal: unknown,
    prepared: Omit<PreparedEmergency, "initiator" | "typedData">,
    colleague: Hex,
  ): Promise<Log> {
    if (!(refusal instanceof ChartsealError) || refusal.values["reason"] !== "SignatureUsed") throw refusal;
    const initiator = this.#writer().address;
    const { types, message } = this.#dataOf({ ...prepared, initiator });
    const salt = TypedDataEncoder.hashStruct("Emergency", types, message);
    const { interface: abi } = this.#chain.emergencies;
    const topics = abi.encodeFilterTopics("GlassBroken", [null, prepared.patient, initiator]) as string[];
    const address = this.#chain.deployment.emergencies;
    const opened = (await collectLogs(this.#chain, { address, topics })).find((log) => {
      const event = abi.parseLog(log)!.args;
      return (
        termsOf(event["terms"] as Result).salt === salt &&
        getAddress(event["colleague"] as Hex) === getAddress(colleague)
      );
    });
    if (opened === undefined) throw refusal;
    return opened;
  }

  #dataOf({ patient, initiator, reason, nonce, deadline }: Omit<PreparedEmergency, "typedData">): TypedData {
    const message = { initiator, patientId: patient, reasonDigest: reason.digest, nonce, deadline };
    return typedData(this.#chain.deployment, "emergencies", "Emergency", message);
  }

  async #window(windowId: Hex, limits: { justifyWithin: bigint; reviewWithin: bigint }, now: number) {
    const window = await this.#chain.ask(() => this.#chain.emergencies.windowOf(windowId));
    const openedAt = Number(window.openedAt);
    const verdict = VERDICTS[Number(window.verdict)];
    const justified = BigInt(window.justification) !== 0n;
    const justifyBy = openedAt + Number(limits.justifyWithin);
    const reviewBy = openedAt + Number(limits.reviewWithin);
    const found: EmergencyWindow = {
      windowId,
      patient: window.patientId as Hex,
      reader: window.reader.toLowerCase() as Hex,
      colleague: window.colleague.toLowerCase() as Hex,
      member: Number(window.memberId),
      colleagueMember: Number(window.colleagueMember),
      custodian: Number(window.custodian),
      openedAt,
      ...{ justifyBy, reviewBy, justified },
      overdue: window.overdue,
      justificationOverdue: !justified && now > justifyBy,
      reviewOverdue: verdict === "NONE" && now > reviewBy,
      late: window.late,
      ...(verdict === undefined || verdict === "NONE" ? {} : { verdict }),
    };
    return found;
  }
}

/** @throws ERR_USAGE for an empty text */
export function statement(text: string): Statement {
  if (text.trim() === "") throw new ChartsealError("ERR_USAGE", "the statement says nothing");
  const salt = toHex(randomBytes(32));
  return { salt, digest: statementDigest(salt, text) };
}

/** The digest that stands on chain for a text or document and its salt: SHA-256(salt || bytes; of a text in UTF-8). */
export function statementDigest(salt: Hex, text: string | Uint8Array): Hex {
  return toHex(createHash("sha256").update(fromHex(salt, 32)).update(text).digest());
}

/** The name under which a vault keeps a statement about a window, as JSON of its salt and text. */
export function statementName(windowId: Hex, digest: Hex): string {
  return `statement/${windowId}/${digest}`;
}

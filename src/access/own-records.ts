// SPDX-License-Identifier: Apache-2.0
import type { TransactionReceipt } from "ethers";
import { ALL_COMPARTMENTS, type Chain, type Writer } from "../chain/index.js";
import { purposeNumber, type Terms, type TypedData } from "../consent/index.js";
import {
  generateMemberKey,
  keyDigest,
  openIndexPage,
  toHex,
  type Hex,
  type MemberKey,
} from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { BlobStore } from "../storage/index.js";
import { LAST_DAY, accessEventOf, accessTopics, type AccessEvent, type Scope } from "./access-event.js";
import type { FetchOptions } from "./fetch-release.js";
import { parseRefusal, parseRelease, type Release } from "./message-bodies.js";
import { OpenedAccess } from "./opened-access.js";
import { ownRequestData, type OwnDesk, type OwnRequest, type OwnRequestTerms } from "./own-request.js";
import { readChart } from "./read-chart.js";
import { refusedBy } from "./refused.js";

const SIGNATURE_LIFETIME_MS = 3_600_000;
const ANSWER_TIMEOUT_MS = 60_000;

/** What of his own records a patient asks for. */
export interface OwnRequestOptions {
  patient: Hex;
  /** INDEX: what there is; CHART (default): that and the bodies of all. */
  extent?: OwnRequestTerms["extent"];
  /** Bitmap; default: all. */
  compartments?: bigint;
  /** Days since 1970-01-01 UTC, inclusive; default: all. */
  recordedFrom?: number;
  recordedTo?: number;
  /** Until when the signature may be used. Default: one hour from now. */
  deadline?: Date;
}

/** A request for the patient to sign. It holds the key that alone opens the answer: keep it secret, use it once. */
export interface PreparedOwnRequest {
  typedData: TypedData;
  terms: OwnRequestTerms;
  key: MemberKey;
}

type SignedOwnRequest = Pick<PreparedOwnRequest, "terms" | "key">;

/**
 * A patient's own records, from their custodian.
 * @example
 * const own = new OwnRecords({ store, desk: agent });
 * const prepared = await own.prepare({ patient });
 * const opened = await own.request(prepared, await signAs(phone, prepared.typedData), relay);
 * for await (const record of opened.open()) await save(record);
 */
export class OwnRecords {
  readonly #chain: Chain;
  readonly #store: BlobStore;
  readonly #desk: OwnDesk;

  /** @param desk Of the patient's custodian: his release agent, {@link CustodianAgent}, or the custodian itself */
  constructor({ store, desk }: { store: BlobStore; desk: OwnDesk }) {
    this.#chain = desk.chain;
    this.#store = store;
    this.#desk = desk;
  }

  /** @throws ERR_RPC_UNAVAILABLE */
  async prepare(options: OwnRequestOptions): Promise<PreparedOwnRequest> {
    const { accessLog, records } = this.#chain;
    const { patient: patientId, extent = "CHART", deadline } = options;
    const key = await generateMemberKey();
    const terms: OwnRequestTerms = {
      patientId,
      extent,
      scope: {
        compartments: options.compartments ?? ALL_COMPARTMENTS,
        recordedFrom: options.recordedFrom ?? 0,
        recordedTo: options.recordedTo ?? LAST_DAY,
        upTo: Number(await this.#chain.ask(() => records.headOf(this.#desk.custodian))),
      },
      recipientKey: keyDigest(key.publicKey),
      nonce: Number(await this.#chain.ask(() => accessLog.ownNonceOf(patientId))),
      deadline: Math.floor((deadline?.getTime() ?? Date.now() + SIGNATURE_LIFETIME_MS) / 1_000),
    };
    return { typedData: ownRequestData(this.#chain, terms), terms, key };
  }

  /**
   * Logs the signed request and opens what the custodian gives for it.
   * @param relay Of any account: nothing but the signature counts
   * @throws ERR_ACCESS_DENIED with the contract's reason, ERR_CAPSULE_REFUSED with the custodian's, ERR_TIMEOUT,
   * ERR_EXCHANGE_INVALID naming what is wrong with the answer
   */
  async request(
    prepared: SignedOwnRequest,
    signature: Hex,
    relay: Writer,
    options: FetchOptions = {},
  ): Promise<OpenedAccess> {
    const { terms, key } = prepared;
    const { patientId, extent, scope, recipientKey, deadline } = terms;
    const call = await this.#chain.ask(() =>
      this.#chain.accessLog.requestOwn.populateTransaction(
        ...([patientId, extent === "INDEX" ? 0 : 1, scope, recipientKey, deadline, signature] as const),
      ),
    );
    const access = this.#eventOf(await relay.execute(call, "ERR_ACCESS_DENIED"));
    const { accessId, transactionHash } = access;
    const { nonce } = terms;
    const publicKey = toHex(key.publicKey);
    const release = await this.#fetch(
      { format: 1, accessId, transactionHash, publicKey, nonce, deadline, signature },
      options,
    );
    return await this.#opened(prepared, release);
  }

  async #fetch(asked: OwnRequest, { signal, timeoutMs = ANSWER_TIMEOUT_MS }: FetchOptions): Promise<Release> {
    const giveUp = performance.now() + timeoutMs;
    for (;;) {
      signal?.throwIfAborted();
      try {
        const message = await this.#desk.own(asked, signal);
        if (message.type === "release") return parseRelease(message);
        throw refusedBy(this.#desk.custodian, parseRefusal(message));
      } catch (error) {
        const later = error instanceof ChartsealError && error.retryable;
        if (!later || performance.now() > giveUp) throw error;
        const { retryAfter } = error.values;
        const seconds = typeof retryAfter === "number" ? retryAfter : 1;
        await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
      }
    }
  }

  async #opened({ terms, key }: SignedOwnRequest, release: Release): Promise<OpenedAccess> {
    const { accessId, index } = release;
    if (index === undefined)
      throw new ChartsealError("ERR_EXCHANGE_INVALID", "the release holds no index page");
    const { chainId, deployment } = this.#chain;
    const binding = { chainId, accessLog: deployment.accessLog, accessId };
    const json = await openIndexPage(index, { ...binding, secretKey: key.secretKey });
    const { custodian } = this.#desk;
    const expected = { terms: ownTerms(terms), custodian, scope: terms.scope };
    const chart = await readChart(this.#chain, json, expected);
    const vault = { memberSecretKey: () => key.secretKey.slice() };
    return new OpenedAccess({ chain: this.#chain, store: this.#store, vault }, chart, [release]);
  }

  #eventOf(receipt: TransactionReceipt): AccessEvent {
    const topics = accessTopics(this.#chain);
    const { accessLog } = this.#chain.deployment;
    const log = receipt.logs.find(
      ({ address, topics: [topic] }) => address.toLowerCase() === accessLog && topics.includes(topic!),
    );
    if (log !== undefined) return accessEventOf(this.#chain, log);
    throw new ChartsealError("ERR_CHAIN_MISMATCH", "the node's receipt shows no access event", {
      values: { transaction: receipt.hash },
    });
  }
}

/** A patient needs nobody's grant: what he signed for, as terms of the chart. */
function ownTerms({ patientId, scope, recipientKey, deadline }: OwnRequestTerms): Terms {
  const { compartments, recordedFrom, recordedTo }: Scope = scope;
  return {
    ...{ format: 1, patientId, grantee: 0, compartments: String(compartments) },
    ...{ purposes: 1 << purposeNumber("PATRQT"), notBefore: 0, notAfter: deadline },
    ...{ recordedFrom, recordedTo, salt: recipientKey },
  };
}

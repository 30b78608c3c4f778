// SPDX-License-Identifier: Apache-2.0
import type { TransactionReceipt } from "ethers";
import { ENTRY_STATUS, type Chain, type StaffSigner, type Writer } from "../chain/index.js";
import { purposeNumber, type GrantTicket, type Purpose } from "../consent/index.js";
import { openIndexPage } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import { EXTENTS, accessEventOf, accessTopics, type AccessEvent, type Scope } from "./access-event.js";
import type { Chart } from "./chart.js";
import type { Exchange } from "./exchange.js";
import { fetchRelease, type FetchOptions } from "./fetch-release.js";
import {
  prepareWithoutChain,
  readWithoutChain,
  type LateAccess,
  type LateOptions,
  type PreparedLate,
} from "./late-access.js";
import type { Release } from "./message-bodies.js";
import { OpenedAccess } from "./opened-access.js";
import { readChart, type Expected } from "./read-chart.js";
import { requireTicket } from "./ticket.js";

/** The contract takes this many entries in one request. */
const ENTRIES_PER_REQUEST = 64;

/** What a member reads with. */
export interface AccessParts {
  memberId: number;
  chain: Chain;
  vault: Vault;
  store: BlobStore;
  exchange: Exchange;
  /** A CLINICIAN of this member. */
  reader: () => { writer: Writer; signer: StaffSigner };
}

/** What an access is for. */
export interface AccessOptions extends FetchOptions {
  purpose: Purpose;
}

/** What of a chart is asked for. */
export interface ScopeOptions extends AccessOptions {
  /** Bitmap; default: all that the terms grant and no directive denies. */
  compartments?: bigint;
  /** Days since 1970-01-01 UTC; default: the terms'. */
  recordedFrom?: number;
  recordedTo?: number;
}

/** Reading another member's records: every access is on chain before the first byte. */
export class Access {
  readonly #parts: AccessParts;

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  /**
   * Lists what a grant shows, as one logged access to the index.
   * @throws ERR_ACCESS_DENIED with the contract's reason, ERR_CAPSULE_REFUSED with the custodian's, ERR_TIMEOUT,
   * ERR_EXCHANGE_INVALID naming what is wrong with the ticket, the answer or an entry
   */
  async list(ticket: GrantTicket, options: ScopeOptions): Promise<Chart> {
    const { access, expected } = await this.#requestScope(ticket, "INDEX", options);
    const answer = await this.#fetch(access, expected.custodian, options);
    return await this.#chart(answer, expected);
  }

  /** Requests every record that a grant shows, as one logged access to the chart. Throws as {@link list}. */
  async requestChart(ticket: GrantTicket, options: ScopeOptions): Promise<OpenedAccess> {
    const { access, expected } = await this.#requestScope(ticket, "CHART", options);
    const answer = await this.#fetch(access, expected.custodian, options);
    return new OpenedAccess(this.#parts, await this.#chart(answer, expected), [answer]);
  }

  /** Requests the records of a listed chart, 64 in each logged access. Throws as {@link list}. */
  async request(chart: Chart, options: AccessOptions): Promise<OpenedAccess> {
    const { chain } = this.#parts;
    const purpose = purposeNumber(options.purpose);
    const answers: Release[] = [];
    for (let from = 0; from < chart.entries.length; from += ENTRIES_PER_REQUEST) {
      const entries = chart.entries.slice(from, from + ENTRIES_PER_REQUEST);
      const call = await chain.ask(() =>
        chain.accessLog.requestRecords.populateTransaction(chart.terms, purpose, entries),
      );
      const receipt = await this.#parts.reader().writer.execute(call, "ERR_ACCESS_DENIED").catch(erasedOr);
      answers.push(await this.#fetch(this.#eventOf(receipt), entries[0]!.leaf.memberId, options));
    }
    return new OpenedAccess(this.#parts, chart, answers);
  }

  /** What a clinician and a colleague sign while the chain is down. See {@link prepareWithoutChain}. */
  prepareWithoutChain(request: Parameters<typeof prepareWithoutChain>[1]): PreparedLate {
    return prepareWithoutChain(this.#parts, request);
  }

  /** Reads while the chain is down. See {@link readWithoutChain}. */
  async withoutChain(options: LateOptions): Promise<LateAccess> {
    return await readWithoutChain(this.#parts, options);
  }

  async #requestScope(from: GrantTicket, extent: (typeof EXTENTS)[number], options: ScopeOptions) {
    const { chain } = this.#parts;
    const purpose = purposeNumber(options.purpose);
    const { terms, custodian } = await requireTicket(chain, from);
    const { deniedCompartments } = await chain.ask(() => chain.consents.directiveOf(terms.patientId));
    // A legal order stands above the patient's directive.
    const denied = options.purpose === "HLEGAL" ? 0n : deniedCompartments;
    const head = await chain.ask(() => chain.records.headOf(custodian));
    const scope: Scope = {
      compartments: options.compartments ?? BigInt(terms.compartments) & ~denied,
      recordedFrom: options.recordedFrom ?? terms.recordedFrom,
      recordedTo: options.recordedTo ?? terms.recordedTo,
      upTo: Number(head),
    };
    const call = await chain.ask(() =>
      chain.accessLog.requestScope.populateTransaction(terms, purpose, EXTENTS.indexOf(extent), scope),
    );
    const receipt = await this.#parts.reader().writer.execute(call, "ERR_ACCESS_DENIED");
    const expected: Expected = { terms, custodian, scope };
    return { access: this.#eventOf(receipt), expected };
  }

  #eventOf(receipt: TransactionReceipt): AccessEvent {
    const { chain } = this.#parts;
    const topics = accessTopics(chain);
    const log = receipt.logs.find(
      (entry) =>
        entry.address.toLowerCase() === chain.deployment.accessLog && topics.includes(entry.topics[0]!),
    );
    if (log !== undefined) return accessEventOf(chain, log);
    throw new ChartsealError("ERR_CHAIN_MISMATCH", "the node's receipt shows no access event", {
      values: { transaction: receipt.hash },
    });
  }

  async #fetch(access: AccessEvent, custodian: number, options: FetchOptions): Promise<Release> {
    return await fetchRelease(this.#parts, this.#parts.reader().signer, access, custodian, options);
  }

  async #chart({ accessId, index }: Release, expected: Expected): Promise<Chart> {
    const { chain, vault } = this.#parts;
    if (index === undefined)
      throw new ChartsealError("ERR_EXCHANGE_INVALID", "the release holds no index page");
    const secretKey = vault.memberSecretKey(index.keyEpoch);
    try {
      const binding = { chainId: chain.chainId, accessLog: chain.deployment.accessLog, accessId };
      return await readChart(chain, await openIndexPage(index, { ...binding, secretKey }), expected);
    } finally {
      secretKey.fill(0);
    }
  }
}

/** What was erased is gone for everybody: no other grant or time will help. */
function erasedOr(error: unknown): never {
  if (error instanceof ChartsealError && error.values["reason"] === "EntryWithdrawn") {
    const { index, status } = error.values;
    if ((Number(status) & ENTRY_STATUS.ERASED) !== 0) {
      throw new ChartsealError("ERR_KEY_ERASED", `entry ${index} was erased`, {
        values: { index: index! },
        hint: "list the chart again: `chartseal request` leaves it out",
        cause: error,
      });
    }
  }
  throw error;
}

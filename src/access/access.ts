// SPDX-License-Identifier: Apache-2.0
import type { TransactionReceipt } from "ethers";
import type { Chain, StaffSigner, Writer } from "../chain/index.js";
import { purposeNumber, type GrantTicket, type Purpose } from "../consent/index.js";
import { openIndexPage, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { BlobStore } from "../storage/index.js";
import type { Vault } from "../vault/index.js";
import { EXTENTS, accessEventOf, type AccessEvent, type Scope } from "./access-event.js";
import { readChart, type Chart, type ChartEntry } from "./chart.js";
import type { Exchange } from "./exchange.js";
import { requireSender, signMessage } from "./messages.js";
import { OpenedAccess } from "./opened-access.js";
import type { Release } from "./release.js";

/** The contract takes this many entries in one request. */
const ENTRIES_PER_REQUEST = 64;
/** Milliseconds that a custodian's agent has to answer. */
const ANSWER_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** Roles.RELEASER. */
const RELEASER = 8;

export interface AccessParts {
  memberId: number;
  chain: Chain;
  vault: Vault;
  store: BlobStore;
  exchange: Exchange;
  /** A CLINICIAN of this member. */
  reader: () => { writer: Writer; signer: StaffSigner };
}

export interface AccessOptions {
  purpose: Purpose;
  signal?: AbortSignal;
}

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
   * @throws ERR_ACCESS_DENIED with the contract's reason, ERR_CAPSULE_REFUSED with the custodian's, ERR_TIMEOUT
   */
  async list(ticket: GrantTicket, options: ScopeOptions): Promise<Chart> {
    const { access, scope } = await this.#requestScope(ticket, "INDEX", options);
    const answer = await this.#fetch(access, ticket.custodian, options.signal);
    return await this.#chart(answer, ticket, scope);
  }

  /** Requests every record that a grant shows, as one logged access to the chart. Throws as {@link list}. */
  async requestChart(ticket: GrantTicket, options: ScopeOptions): Promise<OpenedAccess> {
    const { access, scope } = await this.#requestScope(ticket, "CHART", options);
    const answer = await this.#fetch(access, ticket.custodian, options.signal);
    const chart = await this.#chart(answer, ticket, scope);
    return this.#opened(chart.entries, [answer]);
  }

  /** Requests the records of a listed chart, 64 in each logged access. Throws as {@link list}. */
  async request(chart: Chart, options: AccessOptions): Promise<OpenedAccess> {
    const { chain } = this.#parts;
    const answers: Release[] = [];
    for (let from = 0; from < chart.entries.length; from += ENTRIES_PER_REQUEST) {
      const entries = chart.entries.slice(from, from + ENTRIES_PER_REQUEST);
      const call = await chain.accessLog.requestRecords.populateTransaction(
        chart.terms,
        purposeNumber(options.purpose),
        entries,
      );
      const receipt = await this.#parts.reader().writer.execute(call, "ERR_ACCESS_DENIED");
      const custodian = entries[0]!.leaf.memberId;
      answers.push(await this.#fetch(this.#eventOf(receipt), custodian, options.signal));
    }
    return this.#opened(chart.entries, answers);
  }

  async #requestScope(ticket: GrantTicket, extent: (typeof EXTENTS)[number], options: ScopeOptions) {
    const { chain } = this.#parts;
    const { terms, custodian } = ticket;
    const directive = await chain.ask(() => chain.consents.directiveOf(terms.patientId));
    const head = await chain.ask(() => chain.records.headOf(custodian));
    const scope: Scope = {
      compartments: options.compartments ?? BigInt(terms.compartments) & ~directive.deniedCompartments,
      recordedFrom: options.recordedFrom ?? terms.recordedFrom,
      recordedTo: options.recordedTo ?? terms.recordedTo,
      upTo: Number(head),
    };
    const { accessLog } = chain;
    const purpose = purposeNumber(options.purpose);
    const call = await accessLog.requestScope.populateTransaction(terms, purpose, EXTENTS.indexOf(extent), scope);
    const receipt = await this.#parts.reader().writer.execute(call, "ERR_ACCESS_DENIED");
    return { access: this.#eventOf(receipt), scope };
  }

  #eventOf(receipt: TransactionReceipt): AccessEvent {
    const { chain } = this.#parts;
    const log = receipt.logs.find((entry) => entry.address.toLowerCase() === chain.deployment.accessLog);
    if (log === undefined) {
      throw new ChartsealError("ERR_CHAIN_MISMATCH", "the node's receipt shows no access event", {
        values: { transaction: receipt.hash },
      });
    }
    return accessEventOf(chain, log);
  }

  /** Asks the custodian's agent and waits for its signed answer. */
  async #fetch(access: AccessEvent, custodian: number, signal?: AbortSignal): Promise<Release> {
    const { chain, exchange, memberId } = this.#parts;
    const { signer } = this.#parts.reader();
    const { accessId } = access;
    const body = JSON.stringify({ format: 1, accessId, transactionHash: access.transactionHash });
    const request = { type: "request" as const, id: accessId, from: memberId, to: custodian, body };
    await exchange.send(await signMessage(chain, signer, request));
    const giveUp = performance.now() + ANSWER_TIMEOUT_MS;
    while (performance.now() < giveUp) {
      signal?.throwIfAborted();
      for (const type of ["release", "refusal"] as const) {
        const message = await exchange.find(memberId, type, accessId);
        if (message === undefined) continue;
        if (message.from !== custodian) throw notFrom(accessId, custodian);
        await requireSender(chain, message, RELEASER);
        if (type === "refusal") throw refusal(message.body, accessId);
        return JSON.parse(message.body) as Release;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new ChartsealError("ERR_TIMEOUT", `member ${custodian} did not answer access ${accessId} within 60 s`, {
      values: { accessId, custodian },
      hint: "ask the custodian whether its release agent runs",
      retryable: true,
    });
  }

  async #chart(answer: Release, ticket: GrantTicket, scope: Scope): Promise<Chart> {
    const { chain, vault } = this.#parts;
    const { accessId, index } = answer;
    if (index === undefined) throw new ChartsealError("ERR_EXCHANGE_INVALID", "the release holds no index page");
    const secretKey = vault.memberSecretKey(index.keyEpoch);
    try {
      const binding = { chainId: chain.chainId, accessLog: chain.deployment.accessLog, accessId };
      const json = await openIndexPage(index, { ...binding, secretKey });
      return await readChart(chain, json, { ...ticket, scope });
    } finally {
      secretKey.fill(0);
    }
  }

  #opened(entries: readonly ChartEntry[], answers: readonly Release[]): OpenedAccess {
    return new OpenedAccess(this.#parts, entries, answers);
  }
}

function refusal(body: string, accessId: Hex): ChartsealError {
  const { reason } = JSON.parse(body) as { reason?: unknown };
  return new ChartsealError("ERR_CAPSULE_REFUSED", `the custodian refused: ${String(reason).slice(0, 500)}`, {
    values: { accessId },
  });
}

function notFrom(accessId: Hex, custodian: number): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", `the answer to ${accessId} is not from member ${custodian}`, {
    values: { accessId, custodian },
  });
}

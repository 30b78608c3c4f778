// SPDX-License-Identifier: Apache-2.0
import { findAccess, type AccessEvent } from "../../src/access/access-event.js";
import type { Chart, ChartEntry } from "../../src/access/chart.js";
import { writePage, type PageBatch } from "../../src/access/index-page.js";
import type { Release } from "../../src/access/message-bodies.js";
import type { Message } from "../../src/access/message.js";
import { signMessage } from "../../src/access/messages.js";
import { release } from "../../src/access/release.js";
import type { StaffSigner } from "../../src/chain/index.js";
import { sealIndexPage, toHex, type Hex } from "../../src/crypto/index.js";
import { Entries } from "../../src/records/index.js";
import { agentOf, type SharedPatient, type Sharing } from "./sharing.js";

export interface Page {
  entries: ChartEntry[];
  batches: PageBatch[];
}

export interface ReaderOptions {
  purpose: "TREAT";
  timeoutMs: number;
}

/** Milliseconds after which the reader gives up on an answer that will not do. */
const PATIENCE_MS = 2_000;

/** Answers in the place of `a`'s release agent, as an attacker or a custodian that cheats would. */
export class FalseCustodian {
  readonly #s: Sharing;
  readonly #p: SharedPatient;

  constructor(s: Sharing, p: SharedPatient) {
    this.#s = s;
    this.#p = p;
  }

  readonly list = (options: ReaderOptions): Promise<Chart> => this.#s.b.access.list(this.#p.ticket, options);

  /** Answers the next request with what `make` gives. */
  async answering<T>(
    make: (access: AccessEvent) => Promise<Message>,
    work: (options: ReaderOptions) => Promise<T>,
    timeoutMs = PATIENCE_MS,
  ): Promise<T> {
    const { exchange, memberId, chain } = this.#s.a;
    const outcome = work({ purpose: "TREAT", timeoutMs });
    outcome.catch(() => {});
    for (;;) {
      const [request] = await exchange.receive(memberId, "request");
      if (request === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      await exchange.remove(request);
      const { transactionHash } = JSON.parse(request.body) as { transactionHash: Hex };
      const access = await findAccess(chain, request.id, transactionHash);
      await exchange.send(await make(access!));
      return await outcome;
    }
  }

  async signed(
    access: AccessEvent,
    body: string,
    changes: Partial<Message> = {},
    signer: StaffSigner = this.#s.a.signer("releaser"),
  ): Promise<Message> {
    const { a, b } = this.#s;
    const message = { type: "release" as const, id: access.accessId, from: a.memberId, to: b.memberId, body };
    return await signMessage(a.chain, signer, { ...message, ...changes });
  }

  /** What the true agent would answer. */
  async honest(access: AccessEvent): Promise<string> {
    return await release(agentOf(this.#s.a), access);
  }

  /** Lets the custodian's own RELEASER answer with an index page of his making. */
  async pageMade(change: (page: Page) => Page | string, work = this.list): Promise<Chart> {
    return await this.answering(async (access) => {
      const page = change(this.honestPage());
      const json = typeof page === "string" ? page : writePage(page.entries, page.batches);
      return await this.signed(access, JSON.stringify(await this.releaseOf(access, json)));
    }, work);
  }

  async releaseOf({ accessId }: AccessEvent, json: string): Promise<Release> {
    const index = await sealIndexPage({ ...this.sealing(accessId), json });
    return { format: 1, accessId, index, capsules: [] };
  }

  /** What an envelope to the reader is sealed with. */
  sealing(accessId: Hex) {
    const { a, b } = this.#s;
    const keyEpoch = b.vault.currentEpoch()!;
    const publicKey = b.vault.memberPublicKey(keyEpoch);
    return {
      chainId: a.chain.chainId,
      accessLog: a.chain.deployment.accessLog,
      accessId,
      keyEpoch,
      publicKey,
    };
  }

  honestPage(patient = this.#p.patient): Page {
    const { journal, memberId } = this.#s.a;
    const entries = new Entries(journal, memberId);
    const items = journal.itemsOfPatient(patient);
    const batches = new Map(items.map(({ batchId }) => [batchId, journal.batch(batchId!)!]));
    return {
      entries: items.map((item) => {
        const { label, mediaType, size } = journal.details(item.id);
        return { ...entries.of(item), status: 0, label, mediaType, size };
      }),
      batches: [...batches.values()].map((batch) => ({
        firstIndex: batch.firstIndex,
        count: batch.count,
        manifestDigest: toHex(batch.manifestDigest),
        blockNumber: batch.blockNumber!,
        blockHash: batch.blockHash!,
        transactionHash: batch.transactionHash!,
      })),
    };
  }
}

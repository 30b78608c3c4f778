// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { accessEventOf, type AccessEvent } from "../../src/access/access-event.js";
import { parseRelease, type Release } from "../../src/access/message-bodies.js";
import type { Message } from "../../src/access/message.js";
import { answerRequests } from "../../src/access/release-agent.js";
import { leafHash, toHex, type Hex, type Leaf } from "../../src/crypto/index.js";
import type { ChartsealError } from "../../src/errors.js";
import { Entries } from "../../src/records/index.js";
import { agentOf, requestFor, type SharedPatient, type Sharing } from "./sharing.js";

/** `b` asks for an access's release, and `a`'s agent looks once. */
export class Asking {
  readonly #s: Sharing;

  constructor(s: Sharing) {
    this.#s = s;
  }

  async answered(
    access: AccessEvent,
    message: Promise<Message> = requestFor(this.#s, access),
  ): Promise<{ error: ChartsealError | undefined; message: Message }> {
    const { a, b } = this.#s;
    await b.exchange.send(await message);
    const errors: unknown[] = [];
    const answers = await answerRequests(agentOf(a), { onError: (error) => errors.push(error) });
    expect(errors).to.deep.equal([]);
    expect(answers.map(({ accessId, dropped }) => [accessId, dropped])).to.deep.equal([
      [access.accessId, undefined],
    ]);
    const { error } = answers[0]!;
    const type = error === undefined ? "release" : "refusal";
    return { error, message: (await b.exchange.find(b.memberId, type, access.accessId))! };
  }

  async released(access: AccessEvent): Promise<Release> {
    const { error, message } = await this.answered(access);
    if (error !== undefined) throw error;
    return parseRelease(message);
  }

  async refused(access: AccessEvent): Promise<ChartsealError> {
    const { error } = await this.answered(access);
    expect(error?.code).to.equal("ERR_CAPSULE_REFUSED");
    return error!;
  }

  /** Logs an access to these entries without asking for its release. */
  async logRecords({ ticket }: SharedPatient, indices: readonly number[]): Promise<AccessEvent> {
    const { a, b } = this.#s;
    const entries = new Entries(a.journal, a.memberId);
    const named = indices.map((index) => entries.at(index));
    const call = await b.chain.accessLog.requestRecords.populateTransaction(ticket.terms, 0, named);
    const { logs } = await b.writer("clinician").execute(call);
    return accessEventOf(b.chain, logs[0]!);
  }

  leaves({ patient }: SharedPatient): Leaf[] {
    const { a } = this.#s;
    const entries = new Entries(a.journal, a.memberId);
    return a.journal.itemsOfPatient(patient).map((item) => entries.leaf(item));
  }

  identifierOf({ patient }: SharedPatient): string {
    return this.#s.a.vault.patient(patient).identifiers[0]!.value;
  }
}

export function hashes(leaves: readonly Leaf[]): Hex[] {
  return leaves.map((leaf) => toHex(leafHash(leaf)));
}

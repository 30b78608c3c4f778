// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { z } from "zod";
import { ROLES, type Chain, type StaffSigner } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { AccessEvent } from "./access-event.js";
import { AgentCaller, type ClientTls } from "./agent-call.js";
import { LONGEST_MESSAGE_BYTES, hexSchema, parseMessage, readJson, type Message } from "./message.js";
import { forged, requireSender, signMessage } from "./messages.js";

/** Header in which a signed message says who sends what, so that a stranger's body is not read. */
export const SENDER_HEADER = "x-chartseal-sender";
/** Header of a withdrawal that another agent hands on: it is handed on once. */
export const FORWARDED_HEADER = "x-chartseal-forwarded";
/** Milliseconds for which an agent waits for another of the same member. */
const ANSWER_MS = 3_000;
/** Milliseconds for which one that did not answer is not asked again. */
const GONE_MS = 10_000;

const noticeSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  patientId: hexSchema(32),
  /** SHA-256 of the stored release that follows. */
  digest: hexSchema(32),
});

/** Says what an agent stored, to another of the same member. */
export type ReplicaNotice = z.output<typeof noticeSchema>;

const agreedSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  /** The stored release that both give from now on. */
  stored: z.string(),
  /** Whether its receipt is in the member's journal. */
  filed: z.boolean(),
});
export type ReplicaAgreed = z.output<typeof agreedSchema>;

export function parseNotice(message: Message): ReplicaNotice {
  const notice = readJson(message.body, noticeSchema, "a replica notice");
  if (notice.accessId === message.id) return notice;
  throw forged(message, "it is of another access");
}

export function sha256(text: string | Uint8Array): Hex {
  return `0x${hash("sha256", text)}`;
}

export interface PeersOptions {
  memberId: number;
  chain: Chain;
  /** A RELEASER of this member. */
  signer: StaffSigner;
  /** Of the member's other agents. */
  addresses: readonly string[];
  tls?: ClientTls;
}

/** The other release agents of the same member, as one of them sees them. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #caller: AgentCaller;
  readonly #goneUntil = new Map<string, number>();
  readonly #filed = new Set<Hex>();

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#caller = new AgentCaller(options.tls);
  }

  /** Whether one of them has the receipt of this access in the journal. */
  hasFiled(accessId: Hex): boolean {
    return this.#filed.has(accessId);
  }

  /**
   * Agrees with those that answer on what is given for an access: whichever stored it first. Who does not answer is
   * left out: one that died must not keep the others from serving.
   */
  async agree(
    { accessId, patientId }: Pick<AccessEvent, "accessId" | "patientId">,
    stored: string,
  ): Promise<string> {
    let agreed = stored;
    for (const address of this.#options.addresses) {
      const notice: ReplicaNotice = { format: 1, accessId, patientId, digest: sha256(agreed) };
      const body = JSON.stringify(notice);
      const answer = await this.#reachable(address, async (signal) => {
        const { memberId, chain, signer } = this.#options;
        const replica = { type: "replica" as const, id: accessId, from: memberId, to: memberId, body };
        const sender = JSON.stringify(await signMessage(chain, signer, replica));
        const headers = { [SENDER_HEADER]: Buffer.from(sender).toString("base64url") };
        const most = LONGEST_MESSAGE_BYTES.release;
        const text = await this.#caller.post(address, "v1/peer/releases", agreed, most, signal, headers);
        return await this.#agreed(parseMessage(text), accessId);
      });
      if (answer === undefined) continue;
      agreed = answer.stored;
      if (answer.filed) this.#filed.add(accessId);
    }
    return agreed;
  }

  /**
   * Hands on what a patient withdrew.
   * @returns false when one of them did not take it
   */
  async tell(text: string): Promise<boolean> {
    let all = true;
    for (const address of this.#options.addresses) {
      const taken = await this.#reachable(address, async (signal) => {
        const most = LONGEST_MESSAGE_BYTES.acknowledgement;
        const headers = { [FORWARDED_HEADER]: "1" };
        const answer = await this.#caller.post(address, "v1/withdrawals", text, most, signal, headers);
        await this.#requirePeer(parseMessage(answer));
        return true;
      });
      all &&= taken === true;
    }
    return all;
  }

  async #agreed(message: Message, accessId: Hex): Promise<ReplicaAgreed> {
    if (message.type !== "replica" || message.id !== accessId)
      throw forged(message, "it is of another access");
    await this.#requirePeer(message);
    return readJson(message.body, agreedSchema, "a replica's answer");
  }

  async #requirePeer(message: Message): Promise<void> {
    const { memberId, chain } = this.#options;
    if (message.from !== memberId) throw forged(message, "an agent of this member was asked");
    await requireSender(chain, message, ROLES.RELEASER);
  }

  async #reachable<T>(address: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    if ((this.#goneUntil.get(address) ?? 0) > performance.now()) return undefined;
    try {
      return await ask(AbortSignal.timeout(ANSWER_MS));
    } catch (error) {
      const late = (error as Error).name === "TimeoutError";
      if (!late && !(error instanceof ChartsealError && error.code === "ERR_TIMEOUT")) throw error;
      this.#goneUntil.set(address, performance.now() + GONE_MS);
      return undefined;
    }
  }
}

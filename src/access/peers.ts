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
import { storedRelease } from "./stored-release.js";
import { parseTold, toldKey } from "./withdrawal.js";

/** Header in which a signed message says who sends what, so that a stranger's body is not read. */
export const SENDER_HEADER = "x-chartseal-sender";
/** Milliseconds for which an agent waits for another of the same member. */
const ANSWER_MS = 3_000;
/** Milliseconds for which one that did not answer is not asked again. */
const GONE_MS = 10_000;
/** What can be wrong with another agent or its answer; any other error is of this agent's own making. */
const OF_A_PEER: readonly string[] = [
  "ERR_TIMEOUT",
  "ERR_RATE_LIMITED",
  "ERR_EXCHANGE_INVALID",
  "ERR_FORMAT_UNSUPPORTED",
];

const noticeSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  patientId: hexSchema(32),
  /** SHA-256 of the stored release that follows, or of the receipt. */
  digest: hexSchema(32),
  /** Set when what follows is the receipt of a refusal: it is filed, and nothing else. */
  refused: z.literal(true).optional(),
});

/** Says what an agent stored or refused, to another of the same member. */
export type ReplicaNotice = z.output<typeof noticeSchema>;

const agreedSchema = z.strictObject({
  format: z.literal(1),
  accessId: hexSchema(32),
  /** The stored release that both give from now on; the receipt of a refusal as it came. */
  stored: z.string(),
  /** Whether its receipt is in the member's journal. */
  filed: z.boolean(),
});
export type ReplicaAgreed = z.output<typeof agreedSchema>;

const handOnSchema = z.strictObject({
  format: z.literal(1),
  /** SHA-256 of the withdrawal that follows. */
  digest: hexSchema(32),
});

/** Says which withdrawal an agent hands on, to another of the same member; its answer says the same. */
export type HandOn = z.output<typeof handOnSchema>;

export function parseHandOn(message: Message): HandOn {
  return readJson(message.body, handOnSchema, "a hand-on");
}

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
  /** Hears why one of them is left out. */
  onError?: (error: unknown) => void;
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
   * Agrees with those that answer on what is given for an access: whichever stored it first. Who does not answer, or
   * not as an agent of this member would, is left out: one that is in trouble must not keep the others from serving.
   */
  async agree(
    { accessId, patientId }: Pick<AccessEvent, "accessId" | "patientId">,
    stored: string,
  ): Promise<string> {
    const { agreed, filed } = await this.#offer({ accessId, patientId }, stored);
    if (filed) this.#filed.add(accessId);
    return agreed;
  }

  /**
   * Has the receipt of a refusal filed.
   * @returns false when none that has a journal answered
   */
  async file(
    { accessId, patientId }: Pick<AccessEvent, "accessId" | "patientId">,
    receipt: string,
  ): Promise<boolean> {
    return (await this.#offer({ accessId, patientId, refused: true }, receipt)).filed;
  }

  async #offer(
    about: Pick<ReplicaNotice, "accessId" | "patientId" | "refused">,
    text: string,
  ): Promise<{ agreed: string; filed: boolean }> {
    const { accessId } = about;
    let agreed = text;
    let filed = false;
    for (const address of this.#options.addresses) {
      const notice: ReplicaNotice = { format: 1, ...about, digest: sha256(agreed) };
      const most = LONGEST_MESSAGE_BYTES.release;
      const headers = await this.#signed(accessId, notice);
      const answer = await this.#asked(address, async (signal) => {
        const reply = await this.#caller.post(address, "v1/peer/releases", agreed, most, signal, headers);
        return await this.#agreed(parseMessage(reply), about);
      });
      if (answer === undefined) continue;
      agreed = answer.stored;
      filed ||= answer.filed;
    }
    return { agreed, filed };
  }

  /**
   * Hands on what a patient withdrew.
   * @returns false when one of them did not take it
   */
  async tell(text: string): Promise<boolean> {
    const id = toldKey(this.#options.chain, parseTold(text));
    const handOn: HandOn = { format: 1, digest: sha256(text) };
    const most = LONGEST_MESSAGE_BYTES.acknowledgement;
    let all = true;
    for (const address of this.#options.addresses) {
      const headers = await this.#signed(id, handOn);
      const taken = await this.#asked(address, async (signal) => {
        const answer = await this.#caller.post(address, "v1/peer/withdrawals", text, most, signal, headers);
        return await this.#taken(parseMessage(answer), id, handOn);
      });
      all &&= taken === true;
    }
    return all;
  }

  async #signed(id: Hex, body: ReplicaNotice | HandOn): Promise<Record<string, string>> {
    const { memberId, chain, signer } = this.#options;
    const replica = { type: "replica" as const, id, from: memberId, to: memberId };
    const message = await signMessage(chain, signer, { ...replica, body: JSON.stringify(body) });
    return { [SENDER_HEADER]: Buffer.from(JSON.stringify(message)).toString("base64url") };
  }

  async #agreed(
    message: Message,
    { accessId, refused }: Pick<ReplicaNotice, "accessId" | "refused">,
  ): Promise<ReplicaAgreed> {
    await this.#requirePeer(message, accessId);
    const agreed = readJson(message.body, agreedSchema, "a replica's answer");
    // One of another version may store what this one cannot read.
    if (refused === undefined) storedRelease(agreed.stored);
    return agreed;
  }

  async #taken(message: Message, id: Hex, { digest }: HandOn): Promise<true> {
    await this.#requirePeer(message, id);
    if (parseHandOn(message).digest === digest) return true;
    throw forged(message, "it is of another withdrawal");
  }

  async #requirePeer(message: Message, id: Hex): Promise<void> {
    const { memberId, chain } = this.#options;
    if (message.type !== "replica" || message.id !== id) throw forged(message, "something else was asked");
    if (message.from !== memberId || message.to !== memberId)
      throw forged(message, "an agent of this member was asked");
    await requireSender(chain, message, ROLES.RELEASER);
  }

  /**
   * Asks one of them, unless it was silent a moment ago. One that answers with a refusal or junk is asked again the next
   * time: what it refuses may be this one message, which a patient or a reader can bring about.
   * @returns undefined from one that is to be left out
   */
  async #asked<T>(address: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    if ((this.#goneUntil.get(address) ?? 0) > performance.now()) return undefined;
    try {
      return await ask(AbortSignal.timeout(ANSWER_MS));
    } catch (cause) {
      const error = (cause as Error).name === "TimeoutError" ? silent(address, cause) : cause;
      if (!(error instanceof ChartsealError && OF_A_PEER.includes(error.code))) throw error;
      if (error.code === "ERR_TIMEOUT") this.#goneUntil.set(address, performance.now() + GONE_MS);
      this.#options.onError?.(error);
      return undefined;
    }
  }
}

function silent(address: string, cause: unknown): ChartsealError {
  return new ChartsealError("ERR_TIMEOUT", `the release agent at ${address} does not answer`, {
    values: { address },
    retryable: true,
    cause,
  });
}

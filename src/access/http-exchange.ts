// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { Hex } from "../crypto/index.js";
import { AgentCaller, type ClientTls } from "./agent-call.js";
import type { Exchange } from "./exchange.js";
import {
  LONGEST_MESSAGE_BYTES,
  parseMessage,
  type Message,
  type MessageType,
  type Place,
} from "./message.js";

/** What goes to a member's agent, where, and what it may answer at once. */
const WAYS: Readonly<Partial<Record<MessageType, { path: string; answers: readonly MessageType[] }>>> = {
  request: { path: "v1/requests", answers: ["release", "refusal"] },
  lookup: { path: "v1/messages", answers: ["lookup-answer"] },
  "late-request": { path: "v1/messages", answers: ["late-release", "refusal"] },
  ticket: { path: "v1/messages", answers: [] },
};
/** Answers that wait to be fetched; a reader that went away leaves one. */
const MOST_ANSWERS = 64;

/** Which release agents are asked over HTTP, and what carries everything else. */
export interface HttpExchangeOptions {
  /** Addresses of release agents by member id. Of several, the next is asked when one does not answer. */
  agents: ReadonlyMap<number, readonly string[]>;
  tls?: ClientTls;
  /** For what agents leave each other, and for members without an address. */
  otherwise: Exchange;
}

/** Messages go to members' release agents over HTTP, which answer at once; all else goes another way. */
export class HttpExchange implements Exchange {
  readonly #agents: ReadonlyMap<number, readonly string[]>;
  readonly #otherwise: Exchange;
  readonly #caller: AgentCaller;
  readonly #answers = new Map<string, Message>();
  /** By member: which of its addresses answered last. */
  readonly #lastGood = new Map<number, number>();

  constructor({ agents, tls = {}, otherwise }: HttpExchangeOptions) {
    this.#agents = agents;
    this.#otherwise = otherwise;
    this.#caller = new AgentCaller(tls);
  }

  /** @throws as {@link AgentCaller.post}; what the other Exchange throws */
  async send(message: Message, signal?: AbortSignal): Promise<void> {
    const [way, addresses] = [WAYS[message.type], this.#agents.get(message.to)];
    if (way === undefined || addresses === undefined) return await this.#otherwise.send(message, signal);
    const text = await this.#ask(message, way.path, addresses, signal);
    if (way.answers.length === 0) return;
    const answer = parseMessage(text);
    const { to, id, type } = answer;
    if (!way.answers.includes(type) || to !== message.from || id !== message.id) {
      throw new ChartsealError(
        "ERR_EXCHANGE_INVALID",
        `member ${message.to}'s agent answered something else`,
        {
          values: { memberId: message.to, id: message.id },
        },
      );
    }
    this.#answers.set(keyOf(answer), answer);
    if (this.#answers.size > MOST_ANSWERS) this.#answers.delete(this.#answers.keys().next().value!);
  }

  async receive(to: number, type: MessageType): Promise<Message[]> {
    return await this.#otherwise.receive(to, type);
  }

  /** An answer that came over HTTP is handed over once. */
  async find(to: number, type: MessageType, id: Hex): Promise<Message | undefined> {
    const key = keyOf({ to, type, id });
    const answer = this.#answers.get(key);
    if (answer === undefined) return await this.#otherwise.find(to, type, id);
    this.#answers.delete(key);
    return answer;
  }

  async remove(place: Place): Promise<void> {
    this.#answers.delete(keyOf(place));
    await this.#otherwise.remove(place);
  }

  async #ask(
    message: Message,
    path: string,
    addresses: readonly string[],
    signal?: AbortSignal,
  ): Promise<string> {
    const json = JSON.stringify(message);
    const first = this.#lastGood.get(message.to) ?? 0;
    for (let tried = 0; ; tried++) {
      const position = (first + tried) % addresses.length;
      try {
        const most = LONGEST_MESSAGE_BYTES.release;
        const answer = await this.#caller.post(addresses[position]!, path, json, most, signal);
        this.#lastGood.set(message.to, position);
        return answer;
      } catch (error) {
        const gone = error instanceof ChartsealError && error.code === "ERR_TIMEOUT";
        if (!gone || tried === addresses.length - 1) throw error;
      }
    }
  }
}

function keyOf({ to, type, id }: Place): string {
  return `${to}/${type}/${id}`;
}

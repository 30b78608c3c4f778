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

/** Answers that wait to be fetched; a reader that went away leaves one. */
const MOST_ANSWERS = 64;

/** Which release agents are asked over HTTP, and what carries everything else. */
export interface HttpExchangeOptions {
  /** Addresses of release agents by member id. Of several, the next is asked when one does not answer. */
  agents: ReadonlyMap<number, readonly string[]>;
  tls?: ClientTls;
  /** For all other messages, and for members without an address. */
  otherwise: Exchange;
}

/** Requests go to release agents over HTTP, which answer at once; all else goes another way. */
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
    const addresses = message.type === "request" ? this.#agents.get(message.to) : undefined;
    if (addresses === undefined) return await this.#otherwise.send(message, signal);
    const answer = parseMessage(await this.#ask(message, addresses, signal));
    const { to, id, type } = answer;
    const answers = type === "release" || type === "refusal";
    if (!answers || to !== message.from || id !== message.id) {
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

  async #ask(message: Message, addresses: readonly string[], signal?: AbortSignal): Promise<string> {
    const json = JSON.stringify(message);
    const first = this.#lastGood.get(message.to) ?? 0;
    for (let tried = 0; ; tried++) {
      const position = (first + tried) % addresses.length;
      try {
        const most = LONGEST_MESSAGE_BYTES.release;
        const answer = await this.#caller.post(addresses[position]!, "v1/requests", json, most, signal);
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

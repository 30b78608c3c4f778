// SPDX-License-Identifier: Apache-2.0
import { ROLES, type Chain } from "../chain/index.js";
import type { TypedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { AgentCaller, type ClientTls } from "./agent-call.js";
import { LONGEST_MESSAGE_BYTES, parseMessage, type Message, type MessageType } from "./message.js";
import { forged, requireSender } from "./messages.js";
import type { OwnDesk, OwnRequest } from "./own-request.js";
import { parseAcknowledgement, type Acknowledgement } from "./patient-desk.js";
import { toldKey, type Told } from "./withdrawal.js";

/** Whose release agents, and how they are reached. */
export interface CustodianAgentOptions {
  /** Any node of the consortium: by it the custodian's signature is checked. */
  chain: Chain;
  /** Member id of who keeps the patient's records. */
  custodian: number;
  /** Of its release agents; of several, the next is asked when one does not answer. */
  addresses: readonly string[];
  tls?: ClientTls;
}

/**
 * A custodian's release agent, as a patient's app talks to it.
 * @example
 * const agent = new CustodianAgent({ chain, custodian: 1, addresses: ["https://agent.harbour.example"] });
 * const { onChain } = await agent.revoke(patient, termsHash, await signAs(phone, consent.revocation(patient, termsHash)));
 */
export class CustodianAgent implements OwnDesk {
  readonly custodian: number;
  readonly chain: Chain;
  readonly #addresses: readonly string[];
  readonly #caller: AgentCaller;

  constructor({ chain, custodian, addresses, tls }: CustodianAgentOptions) {
    this.chain = chain;
    this.custodian = custodian;
    this.#addresses = addresses;
    this.#caller = new AgentCaller(tls);
  }

  /**
   * Tells the custodian of a signed revocation. It counts there when this returns, and everywhere once it is on chain,
   * which the custodian sees to. The same again says whether it is.
   * @throws ERR_EXCHANGE_INVALID when it is not taken, ERR_TIMEOUT, ERR_RATE_LIMITED
   */
  async revoke(patientId: Hex, termsHash: Hex, signature: Hex, delegate?: Hex): Promise<Acknowledgement> {
    const by = delegate === undefined ? {} : { delegate };
    return await this.#tell({ format: 1, kind: "revocation", patientId, termsHash, signature, ...by });
  }

  /** Tells the custodian of a signed directive: what it denies counts when this returns. Throws as {@link revoke}. */
  async setDirective({ message }: TypedData, signature: Hex): Promise<Acknowledgement> {
    return await this.#tell({
      format: 1,
      kind: "directive",
      patientId: message["patientId"] as Hex,
      denyAll: message["denyAll"] as boolean,
      denyEmergency: message["denyEmergency"] as boolean,
      deniedCompartments: String(message["deniedCompartments"]),
      nonce: String(message["nonce"]),
      deadline: message["deadline"] as number,
      signature,
    });
  }

  /** The custodian's answer to a request that stands on chain. See {@link OwnRecords}. */
  async own(asked: OwnRequest, signal?: AbortSignal): Promise<Message> {
    return await this.#ask("v1/own-requests", asked, asked.accessId, ["release", "refusal"], signal);
  }

  async #tell(told: Told): Promise<Acknowledgement> {
    const id = toldKey(this.chain, told);
    const message = await this.#ask("v1/withdrawals", told, id, ["acknowledgement"]);
    return parseAcknowledgement(message);
  }

  /** One of the custodian's own signed messages, about `id`. */
  async #ask(
    path: string,
    body: object,
    id: Hex,
    types: readonly MessageType[],
    signal?: AbortSignal,
  ): Promise<Message> {
    const message = parseMessage(await this.#post(path, JSON.stringify(body), signal));
    if (message.from !== this.custodian) throw forged(message, `member ${this.custodian} was asked`);
    await requireSender(this.chain, message, ROLES.RELEASER);
    if (message.id === id && message.to === 0 && types.includes(message.type)) return message;
    throw new ChartsealError("ERR_EXCHANGE_INVALID", "the custodian's agent answered something else", {
      values: { id, found: message.id },
    });
  }

  async #post(path: string, json: string, signal?: AbortSignal): Promise<string> {
    for (const [position, address] of this.#addresses.entries()) {
      try {
        return await this.#caller.post(address, path, json, LONGEST_MESSAGE_BYTES.release, signal);
      } catch (error) {
        const gone = error instanceof ChartsealError && error.code === "ERR_TIMEOUT";
        if (!gone || position === this.#addresses.length - 1) throw error;
      }
    }
    throw new ChartsealError("ERR_USAGE", "the custodian's agent has no address");
  }
}

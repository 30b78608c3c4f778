// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "../crypto/index.js";
import type { Message, MessageType, Place } from "./message.js";

/**
 * Carries messages between members. Whoever runs it can drop or delay a message, but neither read what is secret in
 * it nor change it unseen.
 */
export interface Exchange {
  /** Puts a message in the place of an earlier one of the same receiver, type and id. */
  send(message: Message, signal?: AbortSignal): Promise<void>;
  /**
   * Messages for a member, of one type: some of them, in no order, when there are many. What is no message is set
   * aside.
   */
  receive(to: number, type: MessageType): Promise<Message[]>;
  /** One message; undefined when it has not come. @throws ERR_EXCHANGE_INVALID when it is malformed */
  find(to: number, type: MessageType, id: Hex): Promise<Message | undefined>;
  /** Takes a message away after it was dealt with. */
  remove(place: Place): Promise<void>;
}

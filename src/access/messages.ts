// SPDX-License-Identifier: Apache-2.0
import { keccak256, toUtf8Bytes, verifyTypedData } from "ethers";
import type { Chain, StaffSigner } from "../chain/index.js";
import { typedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Message } from "./exchange.js";

/** Signs a message's envelope and body as staff of the sending member. */
export async function signMessage(
  chain: Chain,
  signer: StaffSigner,
  message: Omit<Message, "signature" | "format">,
): Promise<Message> {
  const { domain, types, message: value } = dataOf(chain, message);
  const signature = (await signer.signTypedData(domain, types, value)) as Hex;
  return { format: 1, ...message, signature };
}

/**
 * Who signed a message, provided that he is unrevoked staff of the member that it says it is from.
 * @param role One bit of Roles.sol that the signer must have
 * @throws ERR_EXCHANGE_INVALID
 */
export async function requireSender(chain: Chain, message: Message, role: number): Promise<Hex> {
  const { domain, types, message: value } = dataOf(chain, message);
  let account: string;
  try {
    account = verifyTypedData(domain, types, value, message.signature);
  } catch (cause) {
    throw forged(message, "its signature is malformed", cause);
  }
  const memberId = await chain
    .ask(() => chain.members.authorized(account, role, 0))
    .catch((error: unknown) => {
      if (error instanceof ChartsealError && error.code === "ERR_CHAIN_REFUSED") {
        throw forged(message, `its signer may not send it (${error.values["reason"]})`, error);
      }
      throw error;
    });
  if (Number(memberId) !== message.from) throw forged(message, `its signer belongs to member ${memberId}`);
  return account.toLowerCase() as Hex;
}

function dataOf(chain: Chain, { type, id, from, to, body }: Omit<Message, "signature" | "format">) {
  const bodyDigest = keccak256(toUtf8Bytes(body));
  return typedData(chain.deployment, "accessLog", "ExchangeMessage", { type, id, from, to, bodyDigest });
}

function forged(message: Message, why: string, cause?: unknown): ChartsealError {
  return new ChartsealError("ERR_EXCHANGE_INVALID", `${message.type} ${message.id} is not from member ${message.from}: ${why}`, {
    values: { type: message.type, id: message.id, from: message.from },
    cause,
  });
}

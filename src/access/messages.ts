// SPDX-License-Identifier: Apache-2.0
import { keccak256, toUtf8Bytes, verifyTypedData } from "ethers";
import { SUSPENSIONS, type Chain, type StaffSigner } from "../chain/index.js";
import { typedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Message } from "./message.js";

type Unsigned = Omit<Message, "signature" | "format">;

/** Signs a message's envelope and body as staff of the sending member. */
export async function signMessage(chain: Chain, signer: StaffSigner, message: Unsigned): Promise<Message> {
  const { domain, types, message: value } = dataOf(chain, message);
  const signature = (await signer.signTypedData(domain, types, value)) as Hex;
  return { format: 1, ...message, signature };
}

/**
 * The account that signed exactly this message for this consortium. Who that is, is for the caller to ask.
 * @throws ERR_EXCHANGE_INVALID when the signature is malformed
 */
export function signerOf(chain: Chain, message: Message): Hex {
  try {
    const { domain, types, message: value } = dataOf(chain, message);
    return verifyTypedData(domain, types, value, message.signature).toLowerCase() as Hex;
  } catch (cause) {
    throw forged(message, "its signature is malformed", cause);
  }
}

/**
 * Who signed a message, provided that he is unrevoked staff of the member that it says it is from. A suspended member
 * still answers what it owes, one that left does not.
 * @param role One bit of {@link ROLES} that the signer must have
 * @throws ERR_EXCHANGE_INVALID
 */
export async function requireSender(chain: Chain, message: Message, role: number): Promise<Hex> {
  const account = signerOf(chain, message);
  const memberId = await chain
    .ask(() => chain.members.authorized(account, role, SUSPENSIONS.REMOVED))
    .catch((error: unknown) => {
      if (error instanceof ChartsealError && error.values["reason"] !== undefined) {
        throw forged(message, `its signer may not send it (${error.values["reason"]})`, error);
      }
      throw error;
    });
  if (Number(memberId) !== message.from) throw forged(message, `its signer belongs to member ${memberId}`);
  return account;
}

export function forged(message: Message, why: string, cause?: unknown): ChartsealError {
  const { type, id, from } = message;
  return new ChartsealError("ERR_EXCHANGE_INVALID", `${type} ${id} is not from member ${from}: ${why}`, {
    values: { type, id, from },
    cause,
  });
}

function dataOf(chain: Chain, { type, id, from, to, body }: Unsigned) {
  const bodyDigest = keccak256(toUtf8Bytes(body));
  return typedData(chain.deployment, "exchange", "ExchangeMessage", { type, id, from, to, bodyDigest });
}

// SPDX-License-Identifier: Apache-2.0
import type { Interface, Result } from "ethers";
import { collectLogs, type Chain } from "../chain/index.js";
import { hashTerms, type Terms } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { AccessEvent } from "./access-event.js";

/**
 * The terms that an access rests on.
 * @throws ERR_CAPSULE_REFUSED when they were never granted
 */
export async function grantedTerms(chain: Chain, access: AccessEvent): Promise<Terms> {
  const called = await calledTerms(chain, access);
  if (called !== undefined && hashTerms(called) === access.basisRef) return called;
  // Requested through another contract: then only the event of the grant, order or emergency says what stands.
  return await eventTerms(chain, access);
}

/** The terms out of the request's own transaction, which spares a search through the whole chain. */
async function calledTerms(chain: Chain, { transactionHash }: AccessEvent): Promise<Terms | undefined> {
  const transaction = await chain.ask(() => chain.provider.getTransaction(transactionHash));
  try {
    const call = chain.accessLog.interface.parseTransaction({ data: transaction?.data ?? "0x" });
    const terms: unknown = call?.args["terms"];
    return terms === undefined ? undefined : termsOf(terms as Result);
  } catch {
    return undefined; // calldata of another contract's
  }
}

async function eventTerms(chain: Chain, { basis, patientId, basisRef }: AccessEvent): Promise<Terms> {
  const { deployment } = chain;
  const [contract, address, event, indexed] =
    basis === "BREAK_GLASS"
      ? ([chain.emergencies, deployment.emergencies, "GlassBroken", [basisRef, patientId]] as const)
      : basis === "LEGAL_ORDER"
        ? ([chain.orders, deployment.orders, "OrderEntered", [patientId, basisRef]] as const)
        : ([chain.consents, deployment.consents, "GrantGiven", [patientId, basisRef]] as const);
  const abi: Interface = contract.interface;
  const topics = abi.encodeFilterTopics(event, [...indexed]) as string[];
  const [log] = await collectLogs(chain, { address, topics });
  const terms: unknown = log === undefined ? undefined : abi.parseLog(log)?.args["terms"];
  if (terms === undefined) {
    throw new ChartsealError("ERR_CAPSULE_REFUSED", "what the access rests on is not on chain", {
      values: { termsHash: basisRef },
    });
  }
  const read = termsOf(terms as Result);
  if (hashTerms(read) === basisRef) return read;
  throw new ChartsealError("ERR_CHAIN_MISMATCH", "the node shows terms that do not have their hash", {
    values: { termsHash: basisRef },
  });
}

/** Terms as ethers decodes them. */
export function termsOf(terms: Result): Terms {
  return {
    format: 1,
    patientId: terms["patientId"] as Hex,
    grantee: Number(terms["grantee"]),
    compartments: String(terms["compartments"]),
    purposes: Number(terms["purposes"]),
    notBefore: Number(terms["notBefore"]),
    notAfter: Number(terms["notAfter"]),
    recordedFrom: Number(terms["recordedFrom"]),
    recordedTo: Number(terms["recordedTo"]),
    salt: terms["salt"] as Hex,
  };
}

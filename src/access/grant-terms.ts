// SPDX-License-Identifier: Apache-2.0
import { collectLogs, type Chain } from "../chain/index.js";
import { hashTerms, type Terms } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";

/**
 * The terms behind a terms hash, from the chain's GrantGiven event.
 * @throws ERR_CAPSULE_REFUSED when they were never granted
 */
export async function grantedTerms(chain: Chain, patientId: Hex, termsHash: Hex): Promise<Terms> {
  const topics = chain.consents.interface.encodeFilterTopics("GrantGiven", [patientId, termsHash]) as string[];
  const [log] = await collectLogs(chain, { address: chain.deployment.consents, topics });
  const terms = log === undefined ? undefined : chain.consents.interface.parseLog(log)?.args["terms"];
  if (terms === undefined) {
    throw new ChartsealError("ERR_CAPSULE_REFUSED", "the grant that the access rests on is not on chain", {
      values: { termsHash },
    });
  }
  const read: Terms = {
    format: 1,
    patientId: terms.patientId,
    grantee: Number(terms.grantee),
    compartments: String(terms.compartments),
    purposes: Number(terms.purposes),
    notBefore: Number(terms.notBefore),
    notAfter: Number(terms.notAfter),
    recordedFrom: Number(terms.recordedFrom),
    recordedTo: Number(terms.recordedTo),
    salt: terms.salt,
  };
  if (hashTerms(read) !== termsHash) {
    throw new ChartsealError("ERR_CHAIN_MISMATCH", "the node shows terms that do not have their hash", {
      values: { termsHash },
    });
  }
  return read;
}

// SPDX-License-Identifier: Apache-2.0
import { keccak256 } from "ethers";
import { ROLES, SUSPENSIONS, collectLogs, type Chain } from "../chain/index.js";
import { purposeNumber, type Terms } from "../consent/index.js";
import { fromHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import type { AccessEvent } from "./access-event.js";
import { grantedTerms } from "./grant-terms.js";
import { refused } from "./refused.js";
import { standingOf } from "./standing.js";
import type { AgentState } from "./stored-release.js";
import { withdrawnFrom } from "./withdrawn.js";

/** Of a key that a patient makes for one request: it has no epochs. */
const OWN_KEY_EPOCH = 1;

/** Seconds of chain time for which an access can be redeemed. */
export const REDEEMABLE_SECONDS = 15 * 60;

export interface PermissionParts {
  memberId: number;
  chain: Chain;
  vault: Vault;
  state: AgentState;
}

/** What an access permits at the chain's head, now. */
export interface Permission {
  /** Bitmap of compartments that are granted and not denied. */
  compartments: bigint;
  /** Days since 1970-01-01 UTC, inclusive. */
  recordedFrom: number;
  recordedTo: number;
  reader: { publicKey: Uint8Array; keyEpoch: number };
}

/**
 * Checks an access again, at the head: the contract permitted it when it was logged, but a grant may have been
 * revoked, an order lifted, a directive set, the clinician dismissed or his member's key replaced since.
 * @param publicKey The reader's key as he says; taken only if the chain has its digest
 * @throws ERR_CAPSULE_REFUSED with the reason, ERR_RPC_UNAVAILABLE
 */
export async function permissionOf(
  parts: PermissionParts,
  access: AccessEvent,
  publicKey?: Hex,
): Promise<Permission> {
  const { chain, memberId: custodian } = parts;
  try {
    const timestamp = await chain.time();
    requireFresh(access, timestamp);
    if (access.basis !== "PATIENT") await requireReader(chain, access);
    const standing = await standingOf(chain, access);
    if (standing.custodian !== custodian)
      throw refused(access, `member ${standing.custodian} keeps this patient's records`);
    if (access.basis === "PATIENT") return ownPermission(access, publicKey);
    const withdrawn = await withdrawnFrom(parts, access);
    const terms = await grantedTerms(chain, access);
    requireTerms(terms, access, timestamp);
    return {
      compartments: BigInt(terms.compartments) & ~standing.denied & ~withdrawn,
      recordedFrom: terms.recordedFrom,
      recordedTo: terms.recordedTo,
      reader: await readerKey(chain, access.memberId, publicKey),
    };
  } catch (error) {
    const reason = error instanceof ChartsealError ? error.values["reason"] : undefined;
    // Without a contract's reason it is the node that failed, not the reader.
    if (reason === undefined) throw error;
    throw refused(access, `the contract says ${reason}`, undefined, error);
  }
}

async function requireReader(chain: Chain, access: AccessEvent): Promise<void> {
  const memberId = await chain.ask(() =>
    chain.members.authorized(access.reader, ROLES.CLINICIAN, SUSPENSIONS.READING),
  );
  if (Number(memberId) !== access.memberId) throw refused(access, "its reader changed members");
}

/** A patient may see all that he signed for; the key is the one that he signed. */
function ownPermission(access: AccessEvent, publicKey?: Hex): Permission {
  const { scope, basisRef } = access;
  if (scope === undefined || publicKey === undefined || keccak256(publicKey) !== basisRef)
    throw refused(access, "the patient signed for another key");
  const { compartments, recordedFrom, recordedTo } = scope;
  const reader = { publicKey: fromHex(publicKey), keyEpoch: OWN_KEY_EPOCH };
  return { compartments, recordedFrom, recordedTo, reader };
}

/** By the chain's clock and by ours: on a chain that stands still, or a stale node, no revocation arrives. */
function requireFresh(access: AccessEvent, timestamp: number): void {
  const now = Math.max(timestamp, Math.floor(Date.now() / 1000));
  if (now - access.requestedAt <= REDEEMABLE_SECONDS) return;
  throw refused(access, "it was requested more than 15 minutes ago", "request it again");
}

function requireTerms(terms: Terms, access: AccessEvent, timestamp: number): void {
  if (terms.grantee !== access.memberId) throw refused(access, "the grant is another member's");
  if ((terms.purposes & (1 << purposeNumber(access.purpose))) === 0) {
    throw refused(access, `the grant does not name ${access.purpose}`);
  }
  if (timestamp < terms.notBefore || timestamp > terms.notAfter)
    throw refused(access, "the grant is not valid now");
}

/** The member's current encryption key, checked against its digest in storage. */
async function readerKey(chain: Chain, memberId: number, offered?: Hex): Promise<Permission["reader"]> {
  const { keyEpoch, keyDigest } = await chain.ask(() => chain.members.memberOf(memberId));
  const keyed = (key: Hex) => ({ publicKey: fromHex(key), keyEpoch: Number(keyEpoch) });
  if (offered !== undefined && keccak256(offered) === keyDigest) return keyed(offered);
  const topics = chain.members.interface.encodeFilterTopics("KeyPublished", [memberId, keyEpoch]) as string[];
  const [log] = await collectLogs(chain, { address: chain.deployment.members, topics });
  const key = log === undefined ? undefined : (chain.members.interface.parseLog(log)?.args["key"] as Hex);
  if (key !== undefined && keccak256(key) === keyDigest) return keyed(key);
  throw new ChartsealError(
    "ERR_CAPSULE_REFUSED",
    `member ${memberId} has no usable encryption key on chain`,
    {
      values: { memberId },
      hint: "its admin publishes one with `chartseal member publish-key`",
    },
  );
}

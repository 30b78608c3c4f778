// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { ALL_COMPARTMENTS, ROLES, SUSPENSIONS, type StaffSigner } from "../chain/index.js";
import { purposeNumber, type Terms, type TypedData } from "../consent/index.js";
import { LeafKind, equalBytes, fromHex, openIndexPage, parseCid, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { printable } from "../printable.js";
import { ask } from "./ask.js";
import { Chart, type ChartEntry } from "./chart.js";
import { statement, type Statement } from "./emergencies.js";
import type { FetchParts } from "./fetch-release.js";
import { parsePage, wrongEntry } from "./index-page.js";
import { requireKnown } from "./last-known.js";
import {
  LATE_LIFETIME,
  emergencyReleaseData,
  requireStaff,
  type EmergencyRelease,
} from "./late-permission.js";
import { lateWindowId } from "./late-release.js";
import { parseRelease, parseRefusal, type LateRequest, type Release } from "./message-bodies.js";
import type { Message } from "./message.js";
import { forged, signMessage, signerOf } from "./messages.js";
import { OpenedAccess, type OpeningParts } from "./opened-access.js";

/** Milliseconds that the custodian's agent has to answer: it tries first whether the chain makes blocks. */
const ANSWER_TIMEOUT_MS = 90_000;
const LONGEST_REASON = 500;

export interface LateParts extends FetchParts, Pick<OpeningParts, "store"> {
  /** A CLINICIAN of this member. */
  reader: () => { signer: StaffSigner };
}

/** What two clinicians sign, as one of them prepares it. No secret but the reason's salt, no PHI. */
export interface PreparedLate {
  reason: Statement;
  release: EmergencyRelease;
  /** What both sign. */
  typedData: TypedData;
}

/** What is asked for while the chain is down, of whom and why. */
export interface LateOptions {
  prepared: Pick<PreparedLate, "release">;
  /** Of the colleague whom it names. */
  colleagueSignature: Hex;
  /** Member id of who keeps the patient's records, as the card says. */
  custodian: number;
  signal?: AbortSignal;
  /** Milliseconds. Default 90 s. */
  timeoutMs?: number;
}

/** Records that were released while the chain was down. Nothing in them could be checked against the chain. */
export interface LateAccess {
  windowId: Hex;
  opened: OpenedAccess;
}

/**
 * Prepares what a clinician and a colleague sign while the chain is down, good for ten minutes.
 * @param request `reason`: why; stays off chain: keep it together with the salt
 * @throws ERR_USAGE for an empty reason, ERR_CAPSULE_REFUSED when this member never saw the chain
 */
export function prepareWithoutChain(
  { chain, vault, reader }: LateParts,
  request: { patient: Hex; colleague: Hex; reason: string },
): PreparedLate {
  requireKnown(vault, chain); // else nobody could tell whose answer it is
  const reason = statement(request.reason);
  const release: EmergencyRelease = {
    initiator: reader().signer.address.toLowerCase() as Hex,
    colleague: request.colleague.toLowerCase() as Hex,
    patientId: request.patient,
    reasonDigest: reason.digest,
    nonce: toHex(randomBytes(32)),
    deadline: Math.floor(Date.now() / 1000) + LATE_LIFETIME,
  };
  return { reason, release, typedData: emergencyReleaseData(chain, release) };
}

/**
 * Asks the custodian's agent for a patient's records while the chain is down: the clinician and a colleague sign, the
 * agent files both signatures once the chain is back.
 * @throws ERR_CAPSULE_REFUSED with the custodian's reason, ERR_TIMEOUT, ERR_EXCHANGE_INVALID, ERR_USAGE
 */
export async function readWithoutChain(parts: LateParts, options: LateOptions): Promise<LateAccess> {
  const { chain, memberId } = parts;
  requireKnown(parts.vault, chain);
  const { signer } = parts.reader();
  const body = await signedRequest(parts, signer, options);
  const windowId = body.accessId;
  const message = { type: "late-request" as const, id: windowId, from: memberId, to: options.custodian };
  const request = await signMessage(chain, signer, { ...message, body: JSON.stringify(body) });
  // From before: what stood in the way then may be gone.
  await parts.exchange.remove({ to: memberId, type: "refusal", id: windowId });
  const release = await awaitRelease(parts, request, options);
  const chart = await chartOf(parts, release, options, windowId);
  return { windowId, opened: new OpenedAccess(parts, chart, [release]) };
}

async function signedRequest(
  { chain, vault }: LateParts,
  signer: StaffSigner,
  { prepared: { release }, colleagueSignature }: LateOptions,
): Promise<LateRequest> {
  const epoch = vault.currentEpoch();
  if (epoch === undefined) {
    throw new ChartsealError("ERR_KEY_MISSING", "this member has no encryption key", {
      hint: "`chartseal member publish-key`, while the chain runs",
    });
  }
  const { domain, types, message } = emergencyReleaseData(chain, release);
  return {
    format: 1,
    accessId: lateWindowId(chain, release),
    ...release,
    initiatorSignature: (await signer.signTypedData(domain, types, message)) as Hex,
    colleagueSignature,
    publicKey: toHex(vault.memberPublicKey(epoch)),
  };
}

async function awaitRelease(
  parts: LateParts,
  request: Message,
  { custodian, signal, timeoutMs = ANSWER_TIMEOUT_MS }: LateOptions,
): Promise<Release> {
  const windowId = request.id;
  const look = async () => {
    const release = await answered(parts, "late-release", windowId, custodian);
    if (release !== undefined) return parseRelease(release);
    const refusal = await answered(parts, "refusal", windowId, custodian);
    if (refusal === undefined) return undefined;
    const { reason } = parseRefusal(refusal);
    throw new ChartsealError(
      "ERR_CAPSULE_REFUSED",
      `the custodian refused: ${printable(reason.slice(0, LONGEST_REASON))}`,
      { values: { windowId, custodian } },
    );
  };
  const send = (until: AbortSignal) => parts.exchange.send(request, until);
  const release = await ask({ send, look }, { timeoutMs, signal });
  if (release !== undefined) return release;
  throw new ChartsealError("ERR_TIMEOUT", `member ${custodian} did not answer the emergency ${windowId}`, {
    values: { windowId, custodian },
    hint: "ask the custodian, by telephone, whether its release agent runs",
    retryable: true,
  });
}

/** What the custodian's RELEASER signed, as far as is known who that is; anything else is passed over. */
async function answered(
  { chain, vault, exchange, memberId }: LateParts,
  type: "late-release" | "refusal",
  windowId: Hex,
  custodian: number,
): Promise<Message | undefined> {
  const known = requireKnown(vault, chain);
  const now = Math.floor(Date.now() / 1000);
  try {
    const message = await exchange.find(memberId, type, windowId);
    if (message === undefined) return undefined;
    const required = { now, activity: SUSPENSIONS.REMOVED };
    const staff = requireStaff(known, signerOf(chain, message), ROLES.RELEASER, required);
    if (staff.memberId !== custodian || message.from !== custodian)
      throw forged(message, "another was asked");
    return message;
  } catch (error) {
    const passedOver = ["ERR_EXCHANGE_INVALID", "ERR_FORMAT_UNSUPPORTED", "ERR_CAPSULE_REFUSED"];
    if (error instanceof ChartsealError && passedOver.includes(error.code)) return undefined;
    throw error;
  }
}

/** What the custodian says there is. No root can be asked for; each body is held against its leaf when it is opened. */
async function chartOf(
  { chain, vault, memberId }: LateParts,
  { index }: Release,
  { prepared, custodian }: LateOptions,
  windowId: Hex,
): Promise<Chart> {
  const patient = prepared.release.patientId;
  if (index === undefined)
    throw new ChartsealError("ERR_EXCHANGE_INVALID", "the release holds no index page");
  const secretKey = vault.memberSecretKey(index.keyEpoch);
  try {
    const { chainId, deployment } = chain;
    const binding = { chainId, accessLog: deployment.accessLog, accessId: windowId };
    const { entries } = parsePage(await openIndexPage(index, { ...binding, secretKey }));
    for (const entry of entries) requireOf(entry, patient, custodian);
    return new Chart(termsFor(patient, memberId, windowId), entries, new Map());
  } finally {
    secretKey.fill(0);
  }
}

function requireOf({ leaf, cid }: ChartEntry, patient: Hex, custodian: number): void {
  if (leaf.memberId !== custodian) throw wrongEntry(leaf, `it is of member ${leaf.memberId}`);
  if (leaf.patientId !== patient) throw wrongEntry(leaf, "it is of another patient");
  if (leaf.kind !== LeafKind.RECORD) throw wrongEntry(leaf, `it is of kind ${leaf.kind}, which is no record`);
  const parsed = parseCid(cid)!;
  if (parsed.oneBlock && !equalBytes(parsed.digest, fromHex(leaf.contentDigest, 32))) {
    throw wrongEntry(leaf, "its CID is of another body");
  }
}

/** What the two were shown, as terms: no contract knows these. */
function termsFor(patientId: Hex, grantee: number, windowId: Hex): Terms {
  const now = Math.floor(Date.now() / 1000);
  return {
    format: 1,
    patientId,
    grantee,
    compartments: String(ALL_COMPARTMENTS),
    purposes: 1 << purposeNumber("BTG"),
    notBefore: now,
    notAfter: now,
    recordedFrom: 0,
    recordedTo: 0xffff_ffff,
    salt: windowId,
  };
}

// SPDX-License-Identifier: Apache-2.0
import { collectLogs, type Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError, requireFormat } from "../errors.js";
import type { Vault } from "../vault/index.js";
import { NODE_QUESTIONS, inParallel } from "./in-parallel.js";
import { updateWindows, type KnownWindow } from "./known-windows.js";

/** Seconds for which what is known counts while the chain is down: a dismissal in that time is not known. */
export const LONGEST_KNOWN = 24 * 3_600;
/** Blocks that are looked at again, for a node may have taken some back. */
const REVISITED = 100;
/** IPatientRegistry.Condition. */
const DEAD = 2n;
const SECRET = "last-known";

export interface KnownStaff {
  memberId: number;
  roles: number;
  /** Unix seconds. */
  since: number;
  notAfter: number;
  personId: Hex;
}

/** What a patient of this member's own denies; of one who denies nothing, nothing is kept. */
export interface KnownDenial {
  emergency: boolean;
  /** Bitmap, in decimal. */
  compartments: string;
}

/** What this member's own node last showed of all that an emergency release without the chain rests on. */
export interface LastKnown {
  format: 1;
  /** Unix seconds by our own clock. */
  takenAt: number;
  /** Last block that was looked at. */
  block: number;
  waitingTime: number;
  personQuota: number;
  memberQuota: number;
  /** By account; revoked ones are left out. */
  staff: Map<Hex, KnownStaff>;
  members: Map<number, { suspension: number; keyEpoch: number; keyDigest: Hex }>;
  denials: Map<Hex, KnownDenial>;
  /** By patient of this member's own: the number that his next directive has, in decimal; of one without, 0. */
  nonces: Map<Hex, string>;
  /** Persons who owe a justification. */
  overdue: Set<Hex>;
  /** The last day's emergencies, by window id. */
  windows: Map<Hex, KnownWindow>;
}

/** @returns undefined before the first, and when it is of another chain's contracts */
export function lastKnown(vault: Vault, chain: Chain): LastKnown | undefined {
  const bytes = vault.getSecret(nameFor(chain));
  if (bytes === undefined) return undefined;
  const kept = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
  requireFormat(kept, "what is last known of the chain");
  const { windows, nonces, block } = kept as {
    windows?: [Hex, KnownWindow][];
    nonces?: [Hex, string][];
    block: number;
  };
  return {
    ...(kept as unknown as LastKnown),
    // What was kept before these were has to look at all of the chain once more.
    block: windows === undefined || nonces === undefined ? 0 : block,
    windows: new Map(windows),
    nonces: new Map(nonces),
    staff: new Map(kept["staff"] as [Hex, KnownStaff][]),
    members: new Map(kept["members"] as [number, never][]),
    denials: new Map(kept["denials"] as [Hex, KnownDenial][]),
    overdue: new Set(kept["overdue"] as Hex[]),
  };
}

/** Looks at what happened on chain since the last time, and keeps it. @throws ERR_RPC_UNAVAILABLE */
export async function refreshLastKnown(vault: Vault, chain: Chain): Promise<LastKnown> {
  const takenAt = Math.floor(Date.now() / 1000);
  const block = await chain.ask(() => chain.provider.getBlockNumber());
  const known = lastKnown(vault, chain) ?? (await nothingKnown(chain));
  // A node that was reset, or lags behind another, is asked from the start.
  const fromBlock = Math.max(chain.deployment.fromBlock, Math.min(known.block, block) - REVISITED);
  const range = { fromBlock, toBlock: block };
  await Promise.all([
    updateStaff(chain, known, range),
    updateDenials(chain, vault, known, range),
    updateOverdue(chain, known, range),
    updateWindows(chain, known.windows, { ...range, now: takenAt }),
  ]);
  const now: LastKnown = { ...known, takenAt, block };
  keep(vault, chain, now);
  return now;
}

/** Counts a release that was filed from now on too: the chain may be down again before it is looked at. */
export function rememberFiled(vault: Vault, chain: Chain, windowId: Hex, window: KnownWindow): void {
  const known = lastKnown(vault, chain);
  if (known === undefined) return;
  known.windows.set(windowId, window);
  keep(vault, chain, known);
}

function keep(vault: Vault, chain: Chain, known: LastKnown): void {
  const { staff, members, denials, nonces, overdue, windows } = known;
  const maps = { staff: [...staff], members: [...members], denials: [...denials], nonces: [...nonces] };
  const json = { ...known, ...maps, overdue: [...overdue], windows: [...windows] };
  vault.setSecret(nameFor(chain), Buffer.from(JSON.stringify(json)));
}

/** What is known, provided that it is young enough. @throws ERR_CAPSULE_REFUSED */
export function requireKnown(vault: Vault, chain: Chain): LastKnown {
  const known = lastKnown(vault, chain);
  const age = known === undefined ? undefined : Math.floor(Date.now() / 1000) - known.takenAt;
  if (known !== undefined && age! <= LONGEST_KNOWN) return known;
  throw new ChartsealError(
    "ERR_CAPSULE_REFUSED",
    known === undefined
      ? "this member never saw the chain: it knows nobody's staff"
      : `what this member knows of the chain is ${Math.floor(age! / 3_600)} hours old`,
    { hint: "`chartseal release-agent` keeps it fresh while the chain runs" },
  );
}

interface Range {
  fromBlock: number;
  toBlock: number;
}

async function nothingKnown(chain: Chain): Promise<LastKnown> {
  const [waitingTime, { personQuota, memberQuota }] = await Promise.all([
    chain.ask(() => chain.members.WAITING_TIME()),
    chain.ask(() => chain.emergencies.limits()),
  ]);
  return {
    format: 1,
    takenAt: 0,
    block: 0,
    waitingTime: Number(waitingTime),
    personQuota: Number(personQuota),
    memberQuota: Number(memberQuota),
    staff: new Map(),
    members: new Map(),
    denials: new Map(),
    nonces: new Map(),
    overdue: new Set(),
    windows: new Map(),
  };
}

async function updateStaff(chain: Chain, known: LastKnown, range: Range): Promise<void> {
  const { members, deployment } = chain;
  const logs = await collectLogs(chain, { address: deployment.members, topics: [], ...range });
  const accounts = new Set<Hex>();
  const memberIds = new Set<number>();
  for (const log of logs) {
    // By name: ethers throws for one that the event does not have.
    const { account, memberId } = members.interface.parseLog(log)?.args.toObject() ?? {};
    if (typeof account === "string") accounts.add(account.toLowerCase() as Hex);
    if (typeof memberId === "bigint") memberIds.add(Number(memberId));
  }
  await inParallel([...memberIds], NODE_QUESTIONS, async (id) => {
    const { suspension, keyEpoch, keyDigest } = await chain.ask(() => members.memberOf(id));
    const member = {
      suspension: Number(suspension),
      keyEpoch: Number(keyEpoch),
      keyDigest: keyDigest as Hex,
    };
    known.members.set(id, member);
  });
  await inParallel([...accounts], NODE_QUESTIONS, async (account) => {
    const staff = await chain.ask(() => members.staffOf(account));
    if (staff.memberId === 0n || staff.revokedSince !== 0n) return void known.staff.delete(account);
    const { memberId, roles, since, notAfter, personId } = staff;
    known.staff.set(account, {
      memberId: Number(memberId),
      roles: Number(roles),
      since: Number(since),
      notAfter: Number(notAfter),
      personId: personId as Hex,
    });
  });
}

async function updateDenials(chain: Chain, vault: Vault, known: LastKnown, range: Range): Promise<void> {
  const { consents, patients, deployment } = chain;
  const directives = [consents.interface.getEvent("DirectiveSet").topicHash];
  const changes = [patients.interface.getEvent("ChangeCompleted").topicHash];
  const logs = [
    ...(await collectLogs(chain, { address: deployment.consents, topics: directives, ...range })),
    ...(await collectLogs(chain, { address: deployment.patients, topics: changes, ...range })),
  ];
  const own = new Set(logs.map(({ topics }) => topics[1] as Hex).filter((id) => isOwn(vault, id)));
  await inParallel([...own], NODE_QUESTIONS, async (patientId) => {
    const { denyAll, denyEmergency, deniedCompartments, nonce } = await chain.ask(() =>
      consents.directiveOf(patientId),
    );
    known.nonces.set(patientId, String(nonce));
    const { condition } = await chain.ask(() => patients.patientOf(patientId));
    const emergency = denyAll || denyEmergency || condition === DEAD;
    if (!emergency && deniedCompartments === 0n) return void known.denials.delete(patientId);
    known.denials.set(patientId, { emergency, compartments: String(deniedCompartments) });
  });
}

async function updateOverdue(chain: Chain, known: LastKnown, range: Range): Promise<void> {
  const { emergencies, deployment } = chain;
  const abi = emergencies.interface;
  const topics = [[abi.getEvent("WindowOverdue").topicHash, abi.getEvent("WindowJustified").topicHash]];
  const logs = await collectLogs(chain, { address: deployment.emergencies, topics, ...range });
  const windows = new Set(logs.map((log) => log.topics[1] as Hex));
  const persons = new Set<Hex>();
  await inParallel([...windows], NODE_QUESTIONS, async (windowId) => {
    const { readerPerson, colleaguePerson } = await chain.ask(() => emergencies.windowOf(windowId));
    persons.add(readerPerson as Hex).add(colleaguePerson as Hex);
  });
  await inParallel([...persons], NODE_QUESTIONS, async (personId) => {
    const owed = await chain.ask(() => emergencies.overdueOfPerson(personId));
    if (owed === 0n) known.overdue.delete(personId);
    else known.overdue.add(personId);
  });
}

function isOwn(vault: Vault, patientId: Hex): boolean {
  try {
    vault.patient(patientId);
    return true;
  } catch (error) {
    if (error instanceof ChartsealError && error.code === "ERR_PATIENT_UNKNOWN") return false;
    throw error;
  }
}

/** Another deployment's staff are not ours. */
function nameFor({ deployment }: Chain): string {
  return `${SECRET}/${deployment.chainId}/${deployment.members}`;
}

// SPDX-License-Identifier: Apache-2.0
import type { TransactionReceipt } from "ethers";
import {
  ROLES,
  SUSPENSIONS,
  bitNames,
  readLogs,
  type Chain,
  type Role,
  type Suspension,
  type Writer,
} from "../chain/index.js";
import { generateMemberKey, keyDigest, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import { revocationNumber, roleBits, type RevocationReason } from "./roles.js";
import { suspensionBits, type Activity } from "./suspension.js";

export interface MemberInfo {
  id: number;
  name: string;
  admin: Hex;
  /** Suspended from reading, writing or both; or removed. */
  suspension: Suspension[];
  /** 0: no encryption key published. */
  keyEpoch: number;
}

export interface StaffInfo {
  account: Hex;
  memberId: number;
  roles: Role[];
  /** Unix seconds. */
  since: number;
  notAfter: number;
  /** Unix seconds; undefined: not revoked. */
  revokedSince?: number;
  personId: Hex;
}

export interface StaffEnrolment {
  account: Hex;
  roles: readonly Role[];
  notAfter: Date;
  /** 32 bytes, the same for every account of one person in the consortium. */
  personId: Hex;
}

/** Members of the consortium and their staff. */
export class Members {
  readonly #chain: Chain;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  /** @returns the new member's id. @throws ERR_CHAIN_REFUSED unless `governance` governs */
  async admit(governance: Writer, admin: Hex, name: string): Promise<number> {
    const { members } = this.#chain;
    const call = await this.#chain.ask(() => members.admit.populateTransaction(admin, name));
    return this.#argument(await governance.execute(call), "MemberAdmitted", "memberId");
  }

  /** Suspends what is named, lifts what is not. @throws ERR_CHAIN_REFUSED unless `governance` governs */
  async setSuspension(governance: Writer, memberId: number, activities: readonly Activity[]): Promise<void> {
    const { members } = this.#chain;
    const bits = suspensionBits(activities);
    await governance.execute(
      await this.#chain.ask(() => members.setSuspension.populateTransaction(memberId, bits)),
    );
  }

  /** Removes a member for good. @throws ERR_CHAIN_REFUSED unless `governance` governs */
  async remove(governance: Writer, memberId: number): Promise<void> {
    const { members } = this.#chain;
    await governance.execute(await this.#chain.ask(() => members.removeMember.populateTransaction(memberId)));
  }

  /** Makes the member's next encryption key: the secret stays in the vault. @returns its epoch */
  async publishKey(admin: Writer, memberId: number, vault: Vault): Promise<number> {
    const { members } = this.#chain;
    const current = await this.#chain.ask(() => members.memberOf(memberId));
    const next = Number(current.keyEpoch) + 1;
    keepUnder(vault, next - 1, current.keyDigest);
    const newest = vault.currentEpoch() ?? 0;
    // A key that waited here when the last one was withdrawn may be in the same hands: another is made for the epoch
    // after, and published until that is reached.
    const isDoubtful = BigInt(current.keyDigest) === 0n && newest === next && next > 1;
    const epoch = isDoubtful ? next + 1 : Math.max(next, newest);
    // In the vault first: a published key whose secret was lost would make capsules that nobody opens. A key of a
    // call that was cut short is used again.
    const kept = vault.currentEpoch() === epoch;
    const publicKey = kept ? vault.memberPublicKey(epoch) : await newKey(vault, epoch);
    const call = await this.#chain.ask(() =>
      members.publishKey.populateTransaction(memberId, toHex(publicKey)),
    );
    let published = 0;
    while (published < epoch) published = this.#argument(await admin.execute(call), "KeyPublished", "epoch");
    // Another process, or a call that was believed lost, may have published the same key just before.
    keepUnder(vault, published, keyDigest(publicKey));
    return published;
  }

  /**
   * Withdraws the member's current encryption key, because it is compromised: nothing is sealed to it any more, and
   * nothing released to the member until it publishes the next one.
   * @param since From when on what was sealed to it is to be doubted
   * @throws ERR_CHAIN_REFUSED unless `admin` is the member's and a key is published
   */
  async withdrawKey(admin: Writer, memberId: number, since: Date): Promise<void> {
    const { members } = this.#chain;
    await admin.execute(
      await this.#chain.ask(() => members.withdrawKey.populateTransaction(memberId, seconds(since))),
    );
  }

  /**
   * @throws ERR_CHAIN_REFUSED unless `admin` is the member's, and when the person is another member's that does not
   * share him; ERR_USAGE
   */
  async enrolStaff(admin: Writer, memberId: number, staff: StaffEnrolment): Promise<void> {
    const { members } = this.#chain;
    const notAfter = seconds(staff.notAfter);
    const bits = roleBits(staff.roles);
    const { account, personId } = staff;
    await admin.execute(
      await this.#chain.ask(() =>
        members.enrolStaff.populateTransaction(memberId, account, bits, notAfter, personId),
      ),
    );
  }

  /**
   * Lets another member enrol accounts of a person, too, who works at both: what he opens and owes counts as one
   * person's. For good.
   * @throws ERR_CHAIN_REFUSED unless `admin` is that of the member that enrolled the person first
   */
  async sharePerson(admin: Writer, personId: Hex, memberId: number): Promise<void> {
    const { members } = this.#chain;
    await admin.execute(
      await this.#chain.ask(() => members.sharePerson.populateTransaction(personId, memberId)),
    );
  }

  /** Revokes an account at once. `since`: from when on what it signed is to be doubted. */
  async revokeStaff(admin: Writer, account: Hex, since: Date, reason: RevocationReason): Promise<void> {
    const { members } = this.#chain;
    const number = revocationNumber(reason);
    const from = seconds(since);
    await admin.execute(
      await this.#chain.ask(() => members.revokeStaff.populateTransaction(account, from, number)),
    );
  }

  async list(): Promise<MemberInfo[]> {
    const { members, deployment } = this.#chain;
    const names = new Map<number, string>();
    const topics = members.interface.encodeFilterTopics("MemberAdmitted", []) as string[];
    for await (const log of readLogs(this.#chain, { address: deployment.members, topics })) {
      const args = members.interface.parseLog(log)!.args;
      names.set(Number(args["memberId"]), args["name"] as string);
    }
    return await Promise.all([...names].map(async ([id, name]) => ({ ...(await this.#info(id)), name })));
  }

  /** The account as enrolled. @throws ERR_KEY_MISSING when it is nobody's staff */
  async staff(account: Hex): Promise<StaffInfo> {
    const staff = await this.#chain.ask(() => this.#chain.members.staffOf(account));
    if (staff.memberId === 0n) {
      throw new ChartsealError("ERR_KEY_MISSING", `account ${account} is nobody's staff`, {
        values: { account },
      });
    }
    return {
      account,
      memberId: Number(staff.memberId),
      roles: bitNames(ROLES, Number(staff.roles)),
      since: Number(staff.since),
      notAfter: Number(staff.notAfter),
      ...(staff.revokedSince === 0n ? {} : { revokedSince: Number(staff.revokedSince) }),
      personId: staff.personId as Hex,
    };
  }

  /** Every account that the member ever enrolled. */
  async staffOf(memberId: number): Promise<StaffInfo[]> {
    const { members, deployment } = this.#chain;
    const topics = members.interface.encodeFilterTopics("StaffEnrolled", [memberId]) as string[];
    const accounts: Hex[] = [];
    for await (const log of readLogs(this.#chain, { address: deployment.members, topics })) {
      accounts.push((members.interface.parseLog(log)!.args["account"] as string).toLowerCase() as Hex);
    }
    return await Promise.all(accounts.map((account) => this.staff(account)));
  }

  async #info(id: number): Promise<Omit<MemberInfo, "name">> {
    const member = await this.#chain.ask(() => this.#chain.members.memberOf(id));
    return {
      id,
      admin: member.admin.toLowerCase() as Hex,
      suspension: bitNames(SUSPENSIONS, Number(member.suspension)),
      keyEpoch: Number(member.keyEpoch),
    };
  }

  /** A number out of our event in a receipt. */
  #argument(receipt: TransactionReceipt, event: "MemberAdmitted" | "KeyPublished", name: string): number {
    const { members, deployment } = this.#chain;
    const topic = members.interface.getEvent(event).topicHash;
    const log = receipt.logs.find(
      ({ address, topics }) => address.toLowerCase() === deployment.members && topics[0] === topic,
    );
    if (log !== undefined) return Number(members.interface.parseLog(log)!.args[name]);
    throw new ChartsealError("ERR_CHAIN_MISMATCH", `the node's receipt shows no ${event} event`, {
      values: { transaction: receipt.hash },
    });
  }
}

async function newKey(vault: Vault, epoch: number): Promise<Uint8Array> {
  const key = await generateMemberKey();
  try {
    // Another call may have made one meanwhile: the first stands.
    if (vault.currentEpoch() !== epoch) vault.addMemberKey({ epoch, ...key });
  } finally {
    key.secretKey.fill(0);
  }
  return vault.memberPublicKey(epoch);
}

/** Keeps the vault's newest key under `epoch` too, if it is the one that the chain shows there. */
function keepUnder(vault: Vault, epoch: number, digest: string): void {
  const newest = vault.currentEpoch();
  if (newest === undefined || newest === epoch || epoch < 1) return;
  const publicKey = vault.memberPublicKey(newest);
  if (keyDigest(publicKey) !== digest) return;
  const secretKey = vault.memberSecretKey(newest);
  try {
    vault.addMemberKey({ epoch, publicKey, secretKey });
  } finally {
    secretKey.fill(0);
  }
}

function seconds(date: Date): number {
  const value = Math.floor(date.getTime() / 1000);
  if (value >= 0) return value;
  throw new ChartsealError("ERR_USAGE", "the date is not valid or lies before 1970");
}

// SPDX-License-Identifier: Apache-2.0
import { readLogs, type Chain, type Writer } from "../chain/index.js";
import { generateMemberKey, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import { REVOCATION_REASONS, roleBits, roleNames, type RevocationReason, type Role } from "./roles.js";

export interface MemberInfo {
  id: number;
  name: string;
  admin: Hex;
  /** Suspended from reading, writing or both; or removed. */
  suspension: ("READING" | "WRITING" | "REMOVED")[];
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

const SUSPENSIONS = ["READING", "WRITING", "REMOVED"] as const;

/** Members of the consortium and their staff. */
export class Members {
  readonly #chain: Chain;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  /** @returns the new member's id. @throws ERR_CHAIN_REFUSED unless `governance` governs */
  async admit(governance: Writer, admin: Hex, name: string): Promise<number> {
    const { members } = this.#chain;
    const receipt = await governance.execute(await members.admit.populateTransaction(admin, name));
    const log = receipt.logs.map((entry) => members.interface.parseLog(entry)).find((entry) => entry !== null);
    return Number(log?.args["memberId"]);
  }

  /** Suspends what is named, lifts what is not. @throws ERR_CHAIN_REFUSED unless `governance` governs */
  async setSuspension(governance: Writer, memberId: number, activities: readonly ("READING" | "WRITING")[]) {
    const bits = activities.reduce((sum, activity) => sum | (1 << SUSPENSIONS.indexOf(activity)), 0);
    await governance.execute(await this.#chain.members.setSuspension.populateTransaction(memberId, bits));
  }

  /** Removes a member for good. @throws ERR_CHAIN_REFUSED unless `governance` governs */
  async remove(governance: Writer, memberId: number): Promise<void> {
    await governance.execute(await this.#chain.members.remove.populateTransaction(memberId));
  }

  /** Makes the member's next encryption key: the secret stays in the vault. @returns its epoch */
  async publishKey(admin: Writer, memberId: number, vault: Vault): Promise<number> {
    const { members } = this.#chain;
    const { keyEpoch } = await this.#chain.ask(() => members.memberOf(memberId));
    const epoch = Number(keyEpoch) + 1;
    // In the vault first: a published key whose secret was lost would make capsules that nobody opens. A key of a
    // call that was cut short is used again.
    const kept = vault.currentEpoch() === epoch;
    const publicKey = kept ? toHex(vault.memberPublicKey(epoch)) : await newKey(vault, epoch);
    await admin.execute(await members.publishKey.populateTransaction(memberId, publicKey));
    return epoch;
  }

  /** @throws ERR_CHAIN_REFUSED unless `admin` is the member's */
  async enrolStaff(admin: Writer, memberId: number, staff: StaffEnrolment): Promise<void> {
    const { members } = this.#chain;
    const notAfter = Math.floor(staff.notAfter.getTime() / 1000);
    const bits = roleBits(staff.roles);
    await admin.execute(
      await members.enrolStaff.populateTransaction(memberId, staff.account, bits, notAfter, staff.personId),
    );
  }

  /** Revokes an account at once. `since`: from when on what it signed is to be doubted. */
  async revokeStaff(admin: Writer, account: Hex, since: Date, reason: RevocationReason): Promise<void> {
    const seconds = Math.floor(since.getTime() / 1000);
    const call = await this.#chain.members.revokeStaff.populateTransaction(
      account,
      seconds,
      REVOCATION_REASONS.indexOf(reason),
    );
    await admin.execute(call);
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
      throw new ChartsealError("ERR_KEY_MISSING", `account ${account} is nobody's staff`, { values: { account } });
    }
    return {
      account,
      memberId: Number(staff.memberId),
      roles: roleNames(Number(staff.roles)),
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
      suspension: SUSPENSIONS.filter((_, bit) => (Number(member.suspension) & (1 << bit)) !== 0),
      keyEpoch: Number(member.keyEpoch),
    };
  }
}

async function newKey(vault: Vault, epoch: number): Promise<Hex> {
  const key = await generateMemberKey();
  vault.addMemberKey({ epoch, ...key });
  key.secretKey.fill(0);
  return toHex(key.publicKey);
}

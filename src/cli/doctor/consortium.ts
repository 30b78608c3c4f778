// SPDX-License-Identifier: Apache-2.0
import { keySigner, type Chain } from "../../chain/index.js";
import { memberIdOf, type Config } from "../../config.js";
import { keyDigest, type Hex } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { Members, type MemberInfo, type StaffInfo } from "../../members/index.js";
import type { Vault } from "../../vault/index.js";
import type { Diagnosis } from "./diagnosis.js";

const SECONDS_PER_DAY = 86_400;
const EXPIRES_SOON_DAYS = 30;
/** A node refuses a block that lies further in its future (Besu, Geth: 15 s); ours must not be slower than that. */
const MOST_AHEAD_S = 15;
const MOST_BEHIND_S = 15 * 60;

/** False when nothing else can be asked. */
export async function checkChain(diagnosis: Diagnosis, chain: Chain, url: string): Promise<boolean> {
  return (
    (await diagnosis.attempt("chain", async () => {
      await chain.check();
      diagnosis.ok("chain", `${url} is on chain ${chain.deployment.chainId} and holds the contracts`);
      return true;
    })) ?? false
  );
}

export async function checkClock(diagnosis: Diagnosis, chain: Chain, now = Date.now()): Promise<void> {
  const block = await chain.ask(() => chain.provider.getBlock("latest"));
  const behind = Math.round(now / 1000) - (block?.timestamp ?? 0);
  if (behind < -MOST_AHEAD_S) {
    diagnosis.fail("clock", `this machine's clock is ${-behind} s behind the newest block`, "set it by NTP");
  } else if (behind > MOST_BEHIND_S) {
    diagnosis.warn(
      "clock",
      `the newest block is ${Math.round(behind / 60)} minutes old`,
      "check that the node is in sync and the clock is right; a chain that only makes blocks when needed is fine",
    );
  } else diagnosis.ok("clock", `the newest block is ${Math.max(behind, 0)} s old`);
}

/** The member as the chain has it; undefined when it is not there. */
export async function checkMember(
  diagnosis: Diagnosis,
  chain: Chain,
  config: Config,
): Promise<MemberInfo | undefined> {
  const id = memberIdOf(config);
  const member = (await new Members(chain).list()).find((candidate) => candidate.id === id);
  if (member === undefined) {
    diagnosis.fail(
      "member",
      `the consortium has no member ${id}`,
      "is the deployment file another consortium's?",
    );
    return undefined;
  }
  const { suspension, name } = member;
  if (suspension.length === 0) diagnosis.ok("member", `member ${id}, ${name}`);
  else {
    const detail = `member ${id} is ${suspension.includes("REMOVED") ? "removed" : `suspended from ${suspension.join(" and ").toLowerCase()}`}`;
    diagnosis.fail("member", detail, "ask the consortium's governance");
  }
  return member;
}

export async function checkEncryptionKey(
  diagnosis: Diagnosis,
  chain: Chain,
  vault: Vault,
  id: number,
): Promise<void> {
  const { keyEpoch, keyDigest: published } = await chain.ask(() => chain.members.memberOf(id));
  const epoch = Number(keyEpoch);
  const hint = "`chartseal member publish-key` publishes one that this vault holds";
  if (epoch === 0) return diagnosis.fail("encryption key", "this member has published none", hint);
  if (BigInt(published) === 0n)
    return diagnosis.fail("encryption key", `the key of epoch ${epoch} was withdrawn`, hint);
  const held = publicKeyOf(vault, epoch);
  if (held === undefined) {
    diagnosis.fail(
      "encryption key",
      `the vault does not hold the key of epoch ${epoch}: nothing sent to this member can be opened`,
      `restore the vault, or: ${hint}`,
    );
  } else if (keyDigest(held) !== published) {
    diagnosis.fail("encryption key", `the vault's key of epoch ${epoch} is not the published one`, hint);
  } else diagnosis.ok("encryption key", `epoch ${epoch}, held in the vault`);
}

export async function checkAdmin(diagnosis: Diagnosis, vault: Vault, member: MemberInfo): Promise<void> {
  const held = vault.staffKeyNames().includes("admin");
  const address = held ? keySigner(vault.staffKey("admin")).address.toLowerCase() : undefined;
  if (address === member.admin) return diagnosis.ok("admin", `the vault holds the key of ${member.admin}`);
  diagnosis.warn(
    "admin",
    held ? "the vault's key admin is not this member's admin" : "the vault holds no key admin",
    "staff can only be enrolled and revoked where the admin's key is",
  );
}

export async function checkStaff(
  diagnosis: Diagnosis,
  chain: Chain,
  { vault, memberId, now = Date.now() }: { vault: Vault; memberId: number; now?: number },
): Promise<void> {
  const members = new Members(chain);
  const names = vault.staffKeyNames().filter((name) => name !== "admin");
  if (names.length === 0)
    diagnosis.warn("staff", "the vault holds no staff keys", "`chartseal staff enrol` makes one");
  for (const name of names) {
    const account = keySigner(vault.staffKey(name)).address.toLowerCase() as Hex;
    const staff = await members.staff(account).catch((error: unknown) => {
      if (error instanceof ChartsealError && error.code === "ERR_KEY_MISSING") return undefined;
      throw error;
    });
    checkOne(diagnosis, { name, staff, memberId, now: now / 1000 });
  }
}

function checkOne(
  diagnosis: Diagnosis,
  {
    name,
    staff,
    memberId,
    now,
  }: { name: string; staff: StaffInfo | undefined; memberId: number; now: number },
): void {
  const check = `staff ${name}`;
  const again = "`chartseal staff enrol` enrols a new key under another name";
  if (staff === undefined)
    return diagnosis.warn(check, "is not enrolled", `chartseal staff enrol --name ${name} --role ROLE`);
  if (staff.memberId !== memberId) return diagnosis.fail(check, `belongs to member ${staff.memberId}`, again);
  if (staff.revokedSince !== undefined) return diagnosis.warn(check, "was revoked", again);
  const days = Math.floor((staff.notAfter - now) / SECONDS_PER_DAY);
  if (staff.notAfter < now) return diagnosis.fail(check, "has expired", again);
  const detail = `${staff.roles.join(", ")}, for ${days} days`;
  if (days < EXPIRES_SOON_DAYS) diagnosis.warn(check, detail, again);
  else diagnosis.ok(check, detail);
}

function publicKeyOf(vault: Vault, epoch: number): Uint8Array | undefined {
  try {
    return vault.memberPublicKey(epoch);
  } catch (error) {
    if (error instanceof ChartsealError && error.code === "ERR_KEY_MISSING") return undefined;
    throw error;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { Wallet } from "ethers";
import { keySigner } from "../chain/index.js";
import type { Chartseal } from "../chartseal.js";
import { toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Role } from "../chain/index.js";
import { roleBits } from "../members/index.js";
import { endArgument } from "./arguments.js";

const MS_PER_DAY = 86_400_000;

/** Staff as an option or a line of a file names them. */
export interface StaffRequest {
  name: string;
  roles: readonly string[];
  notAfter?: Date;
  personId?: Hex;
  /** Left out: a key is made in the vault. */
  account?: Hex;
}

export interface EnrolledStaff {
  name: string;
  account: Hex;
  roles: Role[];
  personId: Hex;
  /** ISO 8601. */
  notAfter: string;
}

/** Enrols one account. A key that an earlier run made and could not enrol is used again. */
export async function enrolStaff(chartseal: Chartseal, request: StaffRequest): Promise<EnrolledStaff> {
  const { members, memberId, vault } = chartseal;
  const roles = request.roles.map((role) => role.toUpperCase());
  if (roleBits(roles) === 0) throw new ChartsealError("ERR_USAGE", "staff need a role");
  const notAfter = request.notAfter ?? new Date(Date.now() + 365 * MS_PER_DAY);
  const personId = request.personId ?? toHex(randomBytes(32));
  const account = request.account ?? (await keyFor(chartseal, request.name));
  await members.enrolStaff(chartseal.writer("admin"), memberId, {
    account,
    roles: roles as Role[],
    notAfter,
    personId,
  });
  vault.setSecret(nameSetting(account), Buffer.from(request.name));
  return { name: request.name, account, roles: roles as Role[], personId, notAfter: notAfter.toISOString() };
}

/** The name under which an account was enrolled here. */
export function staffName(chartseal: Chartseal, account: Hex): string | undefined {
  const name = chartseal.vault.getSecret(nameSetting(account));
  return name === undefined ? undefined : Buffer.from(name).toString();
}

/** `2027-12-31` is that day's end, UTC. */
export function notAfterArgument(text: string): Date {
  return endArgument(text, "--not-after");
}

function nameSetting(account: Hex): string {
  return `staff-name/${account.toLowerCase()}`;
}

/** The key goes into the vault before its account goes on chain: an enrolled key that was lost could not act. */
async function keyFor({ vault, members }: Chartseal, name: string): Promise<Hex> {
  if (!vault.staffKeyNames().includes(name.normalize("NFC"))) {
    vault.putStaffKey(name, Wallet.createRandom().privateKey as Hex);
  }
  const account = keySigner(vault.staffKey(name)).address.toLowerCase() as Hex;
  const enrolled = await members.staff(account).catch((error: unknown) => {
    if (error instanceof ChartsealError && error.code === "ERR_KEY_MISSING") return undefined;
    throw error;
  });
  if (enrolled === undefined && name !== "admin") return account;
  throw new ChartsealError(
    "ERR_USAGE",
    `the vault's key ${name} is ${name === "admin" ? "the admin's" : "enrolled already"}`,
    {
      values: { account },
      hint: "give the new key another name; one person may have several",
    },
  );
}

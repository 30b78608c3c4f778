// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { HardhatEthers, HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { TransactionResponse } from "ethers";
import { Wallet } from "ethers";
import hre, { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { EMERGENCY_LIMITS, RECOVERY_DELAY, RETENTION } from "../src/chain/limits.js";
import type { Hex } from "../src/crypto/index.js";
import { toHex } from "../src/crypto/index.js";
import type {
  AccessLog,
  BreakGlass,
  ConsentRegistry,
  LegalOrders,
  MemberRegistry,
  PatientRegistry,
  RecordRegistry,
} from "../typechain-types/index.js";

// Gas must repeat to the unit, so nothing here depends on chance or on the day: the clock, the keys and every hash
// are fixed, and hashes have no zero byte, which would cost 12 gas less than another.
const START = Date.UTC(2030, 0, 1);
const WAITING_TIME = 3_600; // seconds

export const ALL_COMPARTMENTS = (1n << 64n) - 1n;
/** Unix seconds; grants begin here. */
export const NOT_BEFORE = START / 1000 - 86_400;
/** Unix seconds; grants, staff and signatures end here. */
export const NOT_AFTER = START / 1000 + 20 * 365 * 86_400;

/** Bytes without a zero among them, the same for the same label. */
export function steadyBytes(label: string, length = 32): Hex {
  const hashes: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) hashes.push(createHash("sha256").update(`${label} ${i}`).digest());
  const bytes = Uint8Array.from(Buffer.concat(hashes).subarray(0, length), (byte) => byte || 1);
  return toHex(bytes);
}

/** An ordinary key, the same for the same label. */
export function steadyWallet(label: string): Wallet {
  return new Wallet(steadyBytes(`key of ${label}`));
}

/** Gas of a mined transaction, its 21,000 and its calldata included. */
export async function gasOf(sent: Promise<TransactionResponse>): Promise<number> {
  const receipt = await (await sent).wait();
  return Number(receipt!.gasUsed);
}

/** Contracts, each connected to whoever calls it in the benchmark, and whom else it needs. */
export interface Chain {
  connection: NetworkConnection;
  ethers: HardhatEthers;
  adminA: HardhatEthersSigner;
  adminB: HardhatEthersSigner;
  operator: HardhatEthersSigner;
  clinician: HardhatEthersSigner;
  relay: HardhatEthersSigner;
  /** Accounts that serve nobody yet. */
  spare: HardhatEthersSigner[];
  /** Address of the ERC-7913 verifier of passkeys. */
  passkeyVerifier: string;
  members: MemberRegistry;
  patients: PatientRegistry;
  records: RecordRegistry;
  consents: ConsentRegistry;
  orders: LegalOrders;
  emergencies: BreakGlass;
  accessLog: AccessLog;
  /** Gas of hospital A's first enrolment. */
  enrolStaff: number;
}

/** A fresh chain in this process with the contracts, two hospitals and their staff. */
export async function openChain(hardfork: "cancun" | "osaka" = "cancun"): Promise<Chain> {
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true });
  const connection = await network.create({ override: { initialDate: new Date(START), hardfork } });
  const { ethers } = connection;
  const [deployer, governance, adminA, adminB, operator, clinician, relay, ...spare] =
    await ethers.getSigners();
  const contracts = await deployAll(ethers, deployer!, governance!);
  const { members, patients, records, consents, orders, emergencies, accessLog, passkeys } = contracts;
  await members.connect(governance).admit(adminA!, "Hospital A");
  await members.connect(governance).admit(adminB!, "Hospital B");
  const enrolStaff = await gasOf(
    members.connect(adminA).enrolStaff(1, operator!, 1, NOT_AFTER, steadyBytes("operator")),
  );
  await members.connect(adminB).enrolStaff(2, clinician!, 2, NOT_AFTER, steadyBytes("clinician"));
  return {
    connection,
    ethers,
    members,
    enrolStaff,
    adminA: adminA!,
    adminB: adminB!,
    operator: operator!,
    clinician: clinician!,
    relay: relay!,
    spare,
    passkeyVerifier: await passkeys.getAddress(),
    patients: patients.connect(operator),
    records: records.connect(operator),
    consents: consents.connect(relay),
    orders,
    emergencies: emergencies.connect(clinician),
    accessLog: accessLog.connect(clinician),
  };
}

async function deployAll(
  ethers: HardhatEthers,
  deployer: HardhatEthersSigner,
  governance: HardhatEthersSigner,
) {
  const authority = await ethers.deployContract("AccessManager", [governance.address], deployer);
  const members = await ethers.deployContract("MemberRegistry", [authority, WAITING_TIME]);
  const passkeys = await ethers.deployContract("ERC7913WebAuthnVerifier");
  const patients = await ethers.deployContract("PatientRegistry", [members, passkeys, RECOVERY_DELAY]);
  const records = await ethers.deployContract("RecordRegistry", [members, patients, RETENTION]);
  const consents = await ethers.deployContract("ConsentRegistry", [members, patients, records]);
  const orders = await ethers.deployContract("LegalOrders", [members, patients, records]);
  const emergencies = await ethers.deployContract("BreakGlass", [
    members,
    patients,
    consents,
    EMERGENCY_LIMITS,
  ]);
  const accessLog = await ethers.deployContract("AccessLog", [
    members,
    patients,
    records,
    consents,
    orders,
    emergencies,
  ]);
  return { members, patients, records, consents, orders, emergencies, accessLog, passkeys };
}

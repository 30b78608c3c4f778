// SPDX-License-Identifier: Apache-2.0
import type { ContractFactory } from "ethers";
import {
  AccessLog__factory,
  AccessManager__factory,
  BreakGlass__factory,
  ConsentRegistry__factory,
  ERC7913WebAuthnVerifier__factory,
  LegalOrders__factory,
  MemberRegistry__factory,
  PatientRegistry__factory,
  RecordRegistry__factory,
} from "./factories.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { Chain } from "./chain.js";
import { chainError } from "./contract-error.js";
import { deploymentSchema, type Deployment } from "./deployment.js";
import { EMERGENCY_LIMITS, RECOVERY_DELAY, RETENTION, WAITING_TIME } from "./limits.js";
import { openProvider } from "./provider.js";
import type { StaffSigner } from "./staff-signer.js";
import { Writer } from "./writer.js";

export interface DeployOptions {
  url: string;
  /** Pays nothing and keeps no right: any account. */
  deployer: StaffSigner;
  /** Account that admits, suspends and removes members. */
  governance: Hex;
  /** Seconds before new staff may witness or countersign: 3,600 to 1,209,600. Default one day. */
  waitingTime?: number;
  /** Seconds before a patient's lost key is replaced: 259,200 to 7,776,000. Default two weeks. */
  recoveryDelay?: number;
  /** Days that records are kept: 365 to 36,525. Default 30 years. */
  retention?: number;
  /** Limits of emergencies, where they differ from the defaults. */
  emergencies?: Partial<typeof EMERGENCY_LIMITS>;
  onProgress?: (step: { contract: string; address: Hex }) => void;
}

/**
 * Deploys the seven contracts, their AccessManager and the verifier of passkeys, as ignition/modules/Chartseal.ts does.
 * @throws ERR_RPC_UNAVAILABLE, ERR_CHAIN_REFUSED, ERR_USAGE
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { chainId, fromBlock } = await whereTo(options.url);
  const placeholder = { format: 1, chainId, fromBlock } as Deployment;
  using chain = Chain.open({ url: options.url, deployment: { ...placeholder, ...NO_ADDRESSES } });
  const writer = new Writer(chain, options.deployer);

  const create = async (contract: string, factory: ContractFactory, args: unknown[]): Promise<Hex> => {
    const { data } = await chain.ask(() => factory.getDeployTransaction(...args));
    const { contractAddress } = await writer.execute({ to: null, data });
    const address = contractAddress as Hex;
    options.onProgress?.({ contract, address });
    return address;
  };
  const contracts = await createAll(create, options);
  return deploymentSchema.parse({ ...placeholder, ...contracts });
}

type Create = (contract: string, factory: ContractFactory, args: unknown[]) => Promise<Hex>;

async function createAll(create: Create, options: DeployOptions) {
  const authority = await create("AccessManager", new AccessManager__factory(), [options.governance]);
  const passkeys = await create("ERC7913WebAuthnVerifier", new ERC7913WebAuthnVerifier__factory(), []);
  const members = await create("MemberRegistry", new MemberRegistry__factory(), [
    authority,
    options.waitingTime ?? WAITING_TIME,
  ]);
  const patients = await create("PatientRegistry", new PatientRegistry__factory(), [
    members,
    passkeys,
    options.recoveryDelay ?? RECOVERY_DELAY,
  ]);
  const records = await create("RecordRegistry", new RecordRegistry__factory(), [
    members,
    patients,
    options.retention ?? RETENTION,
  ]);
  const consents = await create("ConsentRegistry", new ConsentRegistry__factory(), [
    members,
    patients,
    records,
  ]);
  const orders = await create("LegalOrders", new LegalOrders__factory(), [members, patients, records]);
  const emergencies = await create("BreakGlass", new BreakGlass__factory(), [
    members,
    patients,
    consents,
    { ...EMERGENCY_LIMITS, ...options.emergencies },
  ]);
  const accessLog = await create("AccessLog", new AccessLog__factory(), [
    members,
    patients,
    records,
    consents,
    orders,
    emergencies,
  ]);
  return { authority, passkeys, members, patients, records, consents, orders, emergencies, accessLog };
}

const ZERO = "0x0000000000000000000000000000000000000000";
const NO_ADDRESSES = {
  authority: ZERO,
  passkeys: ZERO,
  members: ZERO,
  patients: ZERO,
  records: ZERO,
  consents: ZERO,
  orders: ZERO,
  emergencies: ZERO,
  accessLog: ZERO,
} as const;

async function whereTo(url: string): Promise<{ chainId: number; fromBlock: number }> {
  const provider = openProvider(url, 1); // asked for its real id below
  try {
    const answer: unknown = await provider.send("eth_chainId", []);
    const chainId = Number(answer);
    if (!Number.isSafeInteger(chainId) || chainId < 1) {
      throw new ChartsealError("ERR_CHAIN_MISMATCH", "the node does not say which chain it is on", {
        hint: "the URL must be an Ethereum JSON-RPC endpoint",
      });
    }
    return { chainId, fromBlock: await provider.getBlockNumber() };
  } catch (error) {
    throw chainError(error);
  } finally {
    provider.destroy();
  }
}

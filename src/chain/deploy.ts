// SPDX-License-Identifier: Apache-2.0
import type { ContractFactory } from "ethers";
import {
  AccessLog__factory,
  AccessManager__factory,
  ConsentRegistry__factory,
  MemberRegistry__factory,
  PatientRegistry__factory,
  RecordRegistry__factory,
} from "../../typechain-types/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { Chain } from "./chain.js";
import { chainError } from "./contract-error.js";
import { deploymentSchema, type Deployment } from "./deployment.js";
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
  onProgress?: (step: { contract: string; address: Hex }) => void;
}

/**
 * Deploys the five contracts and their AccessManager, as ignition/modules/Chartseal.ts does.
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
  const authority = await create("AccessManager", new AccessManager__factory(), [options.governance]);
  const members = await create("MemberRegistry", new MemberRegistry__factory(), [
    authority,
    options.waitingTime ?? 86_400,
  ]);
  const patients = await create("PatientRegistry", new PatientRegistry__factory(), [members]);
  const records = await create("RecordRegistry", new RecordRegistry__factory(), [members]);
  const consents = await create("ConsentRegistry", new ConsentRegistry__factory(), [members, patients]);
  const accessLog = await create("AccessLog", new AccessLog__factory(), [members, records, consents]);
  return deploymentSchema.parse({
    ...placeholder,
    authority,
    members,
    patients,
    records,
    consents,
    accessLog,
  });
}

const ZERO = "0x0000000000000000000000000000000000000000";
const NO_ADDRESSES = {
  authority: ZERO,
  members: ZERO,
  patients: ZERO,
  records: ZERO,
  consents: ZERO,
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

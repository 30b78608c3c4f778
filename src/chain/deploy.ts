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
import { chainError } from "./contract-error.js";
import { deploymentSchema, type Deployment } from "./deployment.js";
import type { StaffSigner } from "./staff-signer.js";
import { Writer, waitForReceipt } from "./writer.js";
import { Chain, openProvider } from "./chain.js";

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
 * @throws ERR_RPC_UNAVAILABLE, ERR_CHAIN_REFUSED
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { chainId, fromBlock } = await whereTo(options.url);
  const placeholder = { format: 1, chainId, fromBlock } as Deployment;
  using chain = Chain.open({ url: options.url, deployment: { ...placeholder, ...NO_ADDRESSES } });
  const writer = new Writer(chain, options.deployer);

  const create = async (contract: string, factory: ContractFactory, args: unknown[]): Promise<Hex> => {
    const { data } = await factory.getDeployTransaction(...args);
    const call = { to: null as unknown as string, data };
    const gasLimit = await chain.ask(() =>
      chain.provider.estimateGas({ from: options.deployer.address, data, gasPrice: 0 }),
    );
    const signed = await writer.sign(call, (gasLimit * 5n) / 4n);
    await writer.send(signed.raw);
    const receipt = await waitForReceipt(chain, signed.hash);
    const address = receipt.contractAddress as Hex;
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
    const chainId = Number((await provider.send("eth_chainId", [])) as string);
    return { chainId, fromBlock: await provider.getBlockNumber() };
  } catch (error) {
    throw chainError(error);
  } finally {
    provider.destroy();
  }
}

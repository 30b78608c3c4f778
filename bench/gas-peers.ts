// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { BaseContract, InterfaceAbi } from "ethers";
import { AbiCoder, Contract, ContractFactory, ZeroAddress, ZeroHash } from "ethers";
import type { Chain } from "./gas-chain.js";
import { gasOf, steadyBytes } from "./gas-chain.js";

const require = createRequire(import.meta.url);
const TIMESTAMPS = 100; // items of one multiTimestamp
/** The two peers' "one record": what must be known to find and to check a body. */
const PATIENT = "MRN-2030-00012345";
const CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

export interface Peers {
  easAttest: number;
  easTimestamp: number;
  easMultiTimestampItem: number;
  naiveRecord: number;
}

interface Artifact {
  abi: InterfaceAbi;
  bytecode: string;
}

/** Gas a record, measured on the same chain as ours. */
export async function measurePeers(chain: Chain): Promise<Peers> {
  return { ...(await measureEas(chain)), naiveRecord: await measureNaive(chain) };
}

/** Gas of a contract's function, by its name in the ABI. */
async function gasOfCall(contract: Contract, name: string, ...args: unknown[]): Promise<number> {
  return await gasOf(contract.getFunction(name).send(...args));
}

async function deploy(
  chain: Chain,
  abi: InterfaceAbi,
  bytecode: string,
  ...args: unknown[]
): Promise<Contract> {
  const deployed: BaseContract = await new ContractFactory(abi, bytecode, chain.relay).deploy(...args);
  await deployed.waitForDeployment();
  return new Contract(await deployed.getAddress(), abi, chain.relay);
}

/** Ethereum Attestation Service: an attestation with the record's digest, and bare timestamps of digests. */
async function measureEas(chain: Chain) {
  const artifact = (name: string): Artifact =>
    require(
      `@ethereum-attestation-service/eas-contracts/artifacts/contracts/${name}.sol/${name}.json`,
    ) as Artifact;
  const schemas = artifact("SchemaRegistry");
  const service = artifact("EAS");
  const registry = await deploy(chain, schemas.abi, schemas.bytecode);
  const eas = await deploy(chain, service.abi, service.bytecode, await registry.getAddress());
  const schema = "bytes32 patientId,uint32 recordedDay,bytes32 contentDigest";
  const uid = (await registry.getFunction("register").staticCall(schema, ZeroAddress, true)) as string;
  await gasOfCall(registry, "register", schema, ZeroAddress, true);

  const attest = (n: number) => {
    const data = AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "uint32", "bytes32"],
      [steadyBytes("patient"), 21_900, steadyBytes(`body ${n}`)],
    );
    const request = {
      recipient: ZeroAddress,
      expirationTime: 0,
      revocable: true,
      refUID: ZeroHash,
      data,
      value: 0,
    };
    return gasOfCall(eas, "attest", { schema: uid, data: request });
  };
  await attest(1);
  const digests = Array.from({ length: TIMESTAMPS }, (_, n) => steadyBytes(`many ${n}`));
  return {
    easAttest: await attest(2),
    easTimestamp: await gasOfCall(eas, "timestamp", steadyBytes("one")),
    easMultiTimestampItem: (await gasOfCall(eas, "multiTimestamp", digests)) / TIMESTAMPS,
  };
}

/** One struct of strings a record, from its second record on. */
async function measureNaive(chain: Chain): Promise<number> {
  const { abi, bytecode } = compileNaive();
  const naive = await deploy(chain, abi, bytecode);
  await gasOfCall(naive, "addRecord", PATIENT, "Observation", CID);
  return await gasOfCall(naive, "addRecord", PATIENT, "Observation", CID);
}

interface SolcOutput {
  contracts?: Record<string, Record<string, { abi: InterfaceAbi; evm: { bytecode: { object: string } } }>>;
  errors?: unknown;
}

function compileNaive(): Artifact {
  const solc = require("solc") as { compile(input: string): string };
  const file = "NaiveRecords.sol";
  const content = readFileSync(new URL(`peers/${file}`, import.meta.url), "utf8");
  const settings = {
    evmVersion: "cancun",
    viaIR: true,
    optimizer: { enabled: true, runs: 1_000_000 },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  };
  const input = { language: "Solidity", sources: { [file]: { content } }, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  const contract = output.contracts?.[file]?.NaiveRecords;
  if (contract === undefined) throw new Error(`${file} does not compile: ${JSON.stringify(output.errors)}`);
  return { abi: contract.abi, bytecode: contract.evm.bytecode.object };
}

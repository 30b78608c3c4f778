// SPDX-License-Identifier: Apache-2.0
import hre from "hardhat";

/** EIP-170: the most bytes that a chain takes. */
export const SIZE_LIMIT = 24_576;

/** Bytes of each contract of ours as it stands on a chain. */
export async function contractSizes(): Promise<Record<string, number>> {
  const names = [...(await hre.artifacts.getAllFullyQualifiedNames())]
    .filter((name) => /^contracts\/\w+\.sol:/.test(name))
    .toSorted();
  const sizes: Record<string, number> = {};
  for (const name of names) {
    const { deployedBytecode, contractName } = await hre.artifacts.readArtifact(name);
    sizes[contractName] = (deployedBytecode.length - 2) / 2;
  }
  return sizes;
}

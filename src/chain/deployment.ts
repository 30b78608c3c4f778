// SPDX-License-Identifier: Apache-2.0
import { getAddress, isAddress } from "ethers";
import { z } from "zod";
import type { Hex } from "../crypto/index.js";

const address = z
  .string()
  .refine((text) => isAddress(text), "not a contract address (0x and 40 hex digits)")
  .transform((text) => getAddress(text).toLowerCase() as Hex);

/** Where the contracts of one consortium are. The same for every member. */
export const deploymentSchema = z.strictObject({
  format: z.literal(1),
  /** EIP-155 chain id. */
  chainId: z.int().positive(),
  /** Block of the first contract: nothing of interest is before it. */
  fromBlock: z.int().nonnegative(),
  authority: address,
  passkeys: address,
  members: address,
  patients: address,
  records: address,
  consents: address,
  orders: address,
  emergencies: address,
  accessLog: address,
});

export type Deployment = z.output<typeof deploymentSchema>;

// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { readLogs, type Chain } from "../chain/index.js";
import { isHex, type Hex, type Receipt, type TrustedRoot } from "../crypto/index.js";
import { ChartsealError, requireFormat } from "../errors.js";
import { badField } from "./bad-field.js";
import { readText } from "./private-file.js";

/** A file of roots that its reader trusts, format 1. */
export interface PinnedRoots {
  format: 1;
  roots: TrustedRoot[];
}

const hex = (bytes: number) =>
  z
    .string()
    .toLowerCase()
    .refine((text): text is Hex => isHex(text, bytes), `${bytes} bytes of 0x hex`);
const uint = z.int().nonnegative();
const schema = z.strictObject({
  format: z.literal(1),
  roots: z.array(
    z.strictObject({
      chainId: uint,
      contract: hex(20),
      memberId: uint,
      firstIndex: uint,
      count: uint,
      root: hex(32),
    }),
  ),
});

/** Every batch root of a member's log, as this node shows them. */
export async function pinnedRoots(chain: Chain, memberId: number): Promise<PinnedRoots> {
  const { chainId, records: contract } = chain.deployment;
  const { interface: abi } = chain.records;
  const topics = abi.encodeFilterTopics("BatchAnchored", [memberId]) as string[];
  const roots: TrustedRoot[] = [];
  for await (const log of readLogs(chain, { address: contract, topics })) {
    const args = abi.parseLog(log)!.args;
    const [firstIndex, count] = [Number(args["firstIndex"]), Number(args["count"])];
    roots.push({ chainId, contract, memberId, firstIndex, count, root: args["root"] as Hex });
  }
  return { format: 1, roots };
}

/** @throws ERR_USAGE, ERR_FORMAT_UNSUPPORTED */
export async function readRoots(path: string): Promise<TrustedRoot[]> {
  let json: unknown;
  try {
    json = JSON.parse(await readText(path));
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    throw badRoots(path, "is not JSON", cause);
  }
  requireFormat(json, path);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data.roots;
  throw badRoots(path, `has a bad ${badField(parsed.error)}`);
}

/**
 * The root of a receipt's batch, and the entry's status, as this member's node shows them; undefined when the chain
 * has no such batch.
 */
export async function rootOnChain(
  chain: Chain,
  { leaf, batch, anchor }: Receipt,
): Promise<{ root: TrustedRoot; status: number } | undefined> {
  const { chainId, records } = chain.deployment;
  if (anchor.chainId !== chainId || anchor.contract !== records) return undefined;
  const { memberId, firstIndex, count } = batch;
  // Asked with an index outside of the batch the contract would say so instead of showing the root.
  const index = leaf.index >= firstIndex && leaf.index < firstIndex + count ? leaf.index : firstIndex;
  try {
    const found = await chain.ask(() => chain.records.rootAndStatus(memberId, firstIndex, count, index));
    const root = { chainId, contract: records, memberId, firstIndex, count, root: found.root as Hex };
    return { root, status: Number(found.status) };
  } catch (error) {
    if (error instanceof ChartsealError && error.values["reason"] === "BatchUnknown") return undefined;
    throw error;
  }
}

function badRoots(path: string, why: string, cause?: unknown): ChartsealError {
  return new ChartsealError("ERR_USAGE", `${path} ${why}: not a file of roots`, {
    values: { path },
    hint: "`chartseal receipt --roots --out FILE` writes one",
    cause,
  });
}

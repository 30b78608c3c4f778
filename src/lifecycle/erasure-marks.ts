// SPDX-License-Identifier: Apache-2.0
import type { Result } from "ethers";
import { collectLogs, type Chain } from "../chain/index.js";
import { fromHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { AnchoredEntry } from "../records/index.js";
import { GROUNDS, type Ground } from "./certificate.js";

/** EntryErased on chain. */
export interface ErasureMark {
  index: number;
  ground: Ground;
  blockNumber: number;
  transactionHash: string;
}

/** What a member erased on chain, as the node shows it. @param index Of this entry alone */
export async function erasureMarks(chain: Chain, memberId: number, index?: number): Promise<ErasureMark[]> {
  const { interface: abi } = chain.records;
  const topics = abi.encodeFilterTopics("EntryErased", [memberId, index ?? null]);
  const logs = await collectLogs(chain, { address: chain.deployment.records, topics });
  return logs.map((log) => {
    const { args } = abi.parseLog(log)!;
    const ground = GROUNDS[Number(args["ground"])]!;
    const { blockNumber, transactionHash } = log;
    return { index: Number(args["index"]), ground, blockNumber, transactionHash };
  });
}

/** Indices of a member's entries that are erased on chain, as the node shows them. */
export async function erasedOnChain(chain: Chain, memberId: number): Promise<number[]> {
  return (await erasureMarks(chain, memberId)).map(({ index }) => index);
}

/**
 * SHA-256 of the sealed record that an erasure is of, from the call that erased it: the event does not hold it. The
 * contract checks that the leaf of that call stands in the log.
 * @throws ERR_CHAIN_MISMATCH when the node does not show the call, or shows another
 */
export async function erasedDigest(
  chain: Chain,
  memberId: number,
  { index, transactionHash }: ErasureMark,
): Promise<Uint8Array> {
  const transaction = await chain.ask(() => chain.provider.getTransaction(transactionHash));
  const entry = entryOf(chain, transaction?.data ?? "0x");
  const leaf = entry?.["leaf"] as Result | undefined;
  if (Number(leaf?.["memberId"]) !== memberId || Number(leaf?.["index"]) !== index) {
    throw new ChartsealError(
      "ERR_CHAIN_MISMATCH",
      `the node does not show the call that erased entry ${index}`,
      {
        values: { index, transaction: transactionHash },
        hint: "ask a node that keeps older transactions: without it, what still waits here may be what was erased",
      },
    );
  }
  await chain.ask(
    () => chain.records.requireAnchored(entry!.toArray(true) as unknown as AnchoredEntry),
    "ERR_CHAIN_MISMATCH",
  );
  return fromHex(leaf!["contentDigest"] as Hex);
}

function entryOf({ records }: Chain, data: string): Result | undefined {
  try {
    const call = records.interface.parseTransaction({ data });
    return call?.name === "erase" ? (call.args["entry"] as Result) : undefined;
  } catch {
    return undefined; // calldata of another contract's
  }
}

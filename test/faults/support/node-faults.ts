// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { keccak256 } from "ethers";
import { toHex, type Hex } from "../../../src/crypto/index.js";
import type { Answer, RpcRequest } from "../../support/rpc-proxy.js";
import { below, oneOf, type Random } from "../../support/seeded.js";

/** What a node does to the calls of one hospital. */
export type Misbehaviour = (request: RpcRequest) => Answer | Promise<Answer>;

export interface NodeFault {
  name: string;
  misbehave: (random: Random) => Misbehaviour;
  /** Error codes that the run may end with besides none; none given: it must come to its end. */
  mayFailWith?: readonly string[];
  /** Milliseconds that the end of a run waits for its node; default: a few seconds. */
  chainWait?: number;
}

const SEND = "eth_sendRawTransaction";
const RECEIPT = "eth_getTransactionReceipt";
/** A run asks some 150 questions. */
const QUESTIONS = 100;
const SLOWEST_MS = 120;
const GONE = ["ERR_RPC_UNAVAILABLE"];
const DISBELIEVED = ["ERR_CHAIN_MISMATCH"];

/** Answers that are none; each has been seen of a node, or of what stands before it. */
const ERRORS: readonly Answer[] = [
  { error: { code: -32_603, message: "Internal error" } },
  { error: { code: -32_005, message: "limit exceeded" } },
  { text: "<html><h1>502 Bad Gateway</h1></html>", status: 502 },
  { text: '{"jsonrpc":"2.0","id":1,"error":"busy"}', status: 429 },
  { text: '{"jsonrpc":"2.0","id":' },
  { text: "" },
  "drop",
];

/** The slow ones first, so that the others run beside them. */
export const NODE_FAULTS: readonly NodeFault[] = [
  {
    name: "answers one question never",
    misbehave: (random) => {
      const silent = below(random, QUESTIONS);
      let asked = 0;
      return async () => (asked++ === silent ? await new Promise<never>(() => {}) : undefined);
    },
    mayFailWith: GONE,
  },
  {
    name: "is down from some moment on",
    misbehave: (random) => {
      let left = below(random, QUESTIONS);
      return () => (left-- > 0 ? undefined : "drop");
    },
    mayFailWith: GONE,
  },
  {
    name: "is down for a while",
    misbehave: (random) => {
      const [from, drops] = [below(random, QUESTIONS), 2 + below(random, 8)];
      let asked = 0;
      return () => (asked++ >= from && asked <= from + drops ? "drop" : undefined);
    },
    chainWait: 60_000,
  },
  {
    name: "is slow",
    misbehave: (random) => async () => {
      await new Promise((resolve) => setTimeout(resolve, SLOWEST_MS * random()));
      return undefined;
    },
  },
  {
    name: "answers every fifth question with an error",
    misbehave: (random) => {
      let left = QUESTIONS;
      return () => (left-- > 0 && random() < 0.2 ? oneOf(random, ERRORS) : undefined);
    },
    mayFailWith: GONE,
  },
  {
    name: "loses every fourth answer",
    misbehave: (random) => {
      let left = QUESTIONS;
      return () => (left-- > 0 && random() < 0.25 ? "lose" : undefined);
    },
    mayFailWith: GONE,
  },
  {
    name: "shows a receipt late",
    misbehave: (random) => {
      let late = 1 + below(random, 8);
      return ({ method }) => (method === RECEIPT && late-- > 0 ? { result: null } : undefined);
    },
  },
  {
    name: "says that a mined transaction was reverted",
    misbehave: (random) => {
      let lies = 1 + below(random, 3);
      return lieAbout((receipt) => (lies-- > 0 ? { ...receipt, status: "0x0" } : receipt));
    },
    mayFailWith: ["ERR_CHAIN_REFUSED"],
  },
  {
    name: "says that a transaction is mined which it dropped",
    misbehave: (random) => minedThoughDropped(below(random, 4)),
    mayFailWith: DISBELIEVED,
  },
  {
    name: "shows another transaction's receipt",
    misbehave: (random) => {
      let first: Receipt | undefined;
      let lies = 1 + below(random, 2);
      return lieAbout((receipt) => {
        first ??= receipt;
        return receipt === first || lies-- <= 0 ? receipt : first;
      });
    },
    mayFailWith: DISBELIEVED,
  },
  {
    name: "puts a receipt into a block that there is not",
    misbehave: (random) => {
      let lies = 1 + below(random, 2);
      const blockNumber = `0x${(1_000_000 + below(random, 1_000_000)).toString(16)}`;
      return lieAbout((receipt) =>
        lies-- > 0 ? { ...receipt, blockNumber, blockHash: toHex(randomBytes(32)) } : receipt,
      );
    },
    mayFailWith: DISBELIEVED,
  },
];

type Receipt = Readonly<Record<string, unknown>>;

function lieAbout(lie: (receipt: Receipt) => Receipt): Misbehaviour {
  const alter = (receipt: unknown) => (receipt === null ? null : lie(receipt as Receipt));
  return ({ method }) => (method === RECEIPT ? { alter } : undefined);
}

/** Keeps one batch's transaction from the chain, and makes up its receipt until somebody doubts it. */
function minedThoughDropped(number: number): Misbehaviour {
  let sent = 0;
  let dropped: Hex | undefined;
  let lies = 2;
  return ({ method, params }) => {
    if (method === SEND && sent++ === number) {
      dropped = keccak256(params[0] as Hex) as Hex;
      return { result: dropped };
    }
    return method === RECEIPT && params[0] === dropped && lies-- > 0
      ? { result: madeUp(dropped!) }
      : undefined;
  };
}

function madeUp(hash: Hex): Receipt {
  const [zero, account] = [`0x${"0".repeat(64)}`, `0x${"1".repeat(40)}`];
  return {
    transactionHash: hash,
    transactionIndex: "0x0",
    blockHash: toHex(randomBytes(32)),
    blockNumber: "0x1",
    from: account,
    to: account,
    contractAddress: null,
    cumulativeGasUsed: "0xea60",
    gasUsed: "0xea60",
    effectiveGasPrice: "0x0",
    logs: [],
    logsBloom: `0x${"0".repeat(512)}`,
    root: zero,
    type: "0x0",
    status: "0x1",
  };
}

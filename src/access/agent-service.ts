// SPDX-License-Identifier: Apache-2.0
import { setTimeout } from "node:timers/promises";
import type { Chain, StaffSigner, Writer } from "../chain/index.js";
import type { Journal } from "../records/index.js";
import type { ServerTls } from "../server/index.js";
import type { Vault } from "../vault/index.js";
import type { AccessReceipt } from "./access-receipt.js";
import type { ClientTls } from "./agent-call.js";
import type { AgentServer, ServeOptions } from "./agent-server.js";
import type { Answer } from "./answer-request.js";
import type { Exchange } from "./exchange.js";
import { runLateAgent, type LateAnswer } from "./late-agent.js";
import { runLookupAgent } from "./lookup-agent.js";
import { OwedReceipts } from "./owed-receipts.js";
import { Peers } from "./peers.js";
import { relayWithdrawals } from "./relay.js";
import { runReleaseAgent, type AgentParts } from "./release-agent.js";
import { RequestLimits } from "./request-limits.js";
import { followCopies } from "./vault-copies.js";

/** Milliseconds between tries to have owed receipts filed. */
const PAY_MS = 1_000;

export interface ServiceParts {
  memberId: number;
  chain: Chain;
  vault: Vault;
  journal: Journal;
  exchange: Exchange;
  /** A RELEASER of this member. */
  signer: StaffSigner;
  /** Relays what patients withdraw. */
  writer: Writer;
  /** Puts a receipt into the journal. */
  fileReceipt: (receipt: AccessReceipt) => Promise<unknown>;
  /** For calls to the member's other agents. */
  tls: ClientTls;
}

/** How a release agent runs, and who hears of what it does. */
export interface ReleaseAgentOptions {
  signal: AbortSignal;
  onAnswer?: (answer: Answer) => void;
  /** Of emergencies while the chain is down. */
  onLate?: (answer: LateAnswer) => void;
  /** Hears of what is tried again. */
  onError?: (error: unknown) => void;
  /** Where to answer over HTTP. Without TLS on this machine only. */
  listen?: { host: string; port: number; tls?: ServerTls };
  /** Hears, once, that requests are answered, and at which address those over HTTP. */
  onReady?: (address: string | undefined) => void;
  /** Addresses of this member's other release agents. */
  peers?: readonly string[];
  /** For an agent that works with copies of vault and journal. */
  standby?: Standby;
}

export interface Standby {
  /** Of its own: the copies are replaced. */
  state: Vault;
  /** Where the copy of the vault is found. */
  path: string;
  /** Opens the newest copies. */
  open: () => Promise<{ vault: Vault; journal: Journal }>;
}

/** A release agent with all that it does, until the signal aborts. When one part of it ends, all do. */
export async function runAgentService(parts: ServiceParts, options: ReleaseAgentOptions): Promise<void> {
  const { listen, onReady, standby, peers: addresses = [], ...rest } = options;
  const stop = new AbortController();
  const { memberId, chain, signer, tls, writer } = parts;
  const limits = new RequestLimits(chain);
  const until = { ...rest, limits, signal: AbortSignal.any([options.signal, stop.signal]) };
  const { onError } = rest;
  const peers = new Peers({
    memberId,
    chain,
    signer,
    addresses,
    tls,
    ...(onError === undefined ? {} : { onError }),
  });
  const agent = agentParts(parts, peers, standby);
  const tellPeers = (text: string) => peers.tell(text);
  const server = listen === undefined ? undefined : await listenOn(agent, { ...until, ...listen, tellPeers });
  onReady?.(server?.address);
  const work = [
    runReleaseAgent(agent, until),
    relayWithdrawals({ chain, state: agent.state, writer }, until),
    // What is released while the chain is down is filed later by whoever keeps it: never by a copy.
    ...(standby === undefined
      ? [runLateAgent({ ...agent, writer }, until), runLookupAgent(agent, until)]
      : [
          followCopies(agent, { ...standby, ...until }),
          payReceipts(new OwedReceipts(standby.state, peers), until),
        ]),
  ];
  try {
    await Promise.all(work.map((part) => part.finally(() => stop.abort())));
  } finally {
    await Promise.allSettled(work);
    await server?.stopped;
  }
}

/** The HTTP server is loaded when it is needed: an ingest must not carry it. */
async function listenOn(agent: AgentParts, options: ServeOptions): Promise<AgentServer> {
  const { serveAgent } = await import("./agent-server.js");
  return await serveAgent(agent, options);
}

function agentParts(parts: ServiceParts, peers: Peers, standby: Standby | undefined): AgentParts {
  const { memberId, chain, vault, journal, exchange, signer, fileReceipt } = parts;
  const agree: AgentParts["agree"] = (access, stored) => peers.agree(access, stored);
  const common = { memberId, chain, vault, journal, exchange, signer, agree };
  if (standby === undefined) return { ...common, state: vault, files: true, fileReceipt };
  const owed = new OwedReceipts(standby.state, peers);
  const owe = async (receipt: AccessReceipt) => owed.add(receipt);
  return { ...common, state: standby.state, files: false, fileReceipt: owe };
}

async function payReceipts(
  owed: OwedReceipts,
  { signal, onError }: Pick<ReleaseAgentOptions, "signal" | "onError">,
): Promise<void> {
  while (!signal.aborted) {
    await owed.pay(onError).catch((error: unknown) => onError?.(error));
    await setTimeout(PAY_MS, undefined, { signal }).catch(() => {});
  }
}

// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import type { ListenOptions, ListenState } from "../../listen/index.js";
import { Heartbeat, heartbeatFolder, vaultLook, type EventLog } from "../../monitor/index.js";
import { printable } from "../../printable.js";
import { readPrivateFile, type Vault } from "../../vault/index.js";
import { wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { ingestOptions, type FilingValues } from "../ingest-options.js";
import { listenAddress } from "../listen-address.js";
import { openLog, type LogValues } from "../log-option.js";
import { openMember } from "../open-member.js";
import { tlsArgument, type TlsValues } from "../server-arguments.js";
import { Troubles } from "../troubles.js";

/** Milliseconds between lines that say how it goes, when something went on. */
const PROGRESS_MS = 10_000;

interface Values extends FilingValues, LogValues, TlsValues {
  mllp?: string;
  http?: string;
  outbox?: string;
  httpTokenFile?: string;
  clearText?: boolean;
  split?: boolean;
  mostBytes?: string;
  mostUnanchored?: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  const options = await listenOptions(values);
  // A chain that is down keeps nobody from sending.
  await using chartseal = await openMember(context, { role: "operator", chain: "expected" });
  const signal = context.io.interruption();
  using log = await openLog(context, values, "listen");
  const report = new Report(context, log);
  await using listener = await chartseal.listen({ ...options, ...report.events, signal });
  const { addresses } = listener;
  using _ = Heartbeat.start(
    heartbeatFolder(chartseal.config),
    "listen",
    lookOf(chartseal.vault, listener.state),
  );
  log?.event("ready", { member: chartseal.memberId });
  const doors = Object.entries(addresses).map(([door, address]) => `${door} at ${address}`);
  context.print({ event: "ready", ...addresses }, `Takes records by ${doors.join(", ")}. Ctrl-C ends it.`);
  const timer = setInterval(() => report.progress(listener.state()), PROGRESS_MS);
  try {
    await listener.stopped;
  } finally {
    clearInterval(timer);
  }
  report.stopped(listener.state());
}

/** What the heartbeat says: of the vault, and why nothing is taken in at present. */
function lookOf(vault: Vault, state: () => ListenState): ReturnType<typeof vaultLook> {
  const look = vaultLook(vault);
  return () => {
    const { trouble, full } = state();
    const code = trouble ?? (full ? "ERR_BUSY" : undefined);
    return { ...look(), ...(code === undefined ? {} : { trouble: code }) };
  };
}

/** @throws ERR_USAGE */
async function listenOptions(values: Values): Promise<ListenOptions> {
  const { mllp, http, outbox, httpTokenFile, clearText, split, mostUnanchored } = values;
  if ((http === undefined) !== (httpTokenFile === undefined))
    throw new ChartsealError("ERR_USAGE", "--http and --http-token-file go together");
  const server = mllp === undefined && http === undefined;
  const tls = await tlsArgument(values, server ? "--mllp or --http" : undefined);
  const mostBytes =
    values.mostBytes === undefined ? undefined : wholeNumber(values.mostBytes, "--most-bytes", 1);
  const common = {
    ...(tls === undefined ? {} : { tls }),
    ...(mostBytes === undefined ? {} : { mostBytes }),
  };
  return {
    ...(await ingestOptions(values)),
    ...(mllp === undefined
      ? {}
      : { mllp: { ...listenAddress(mllp, "--mllp"), ...common, clearText: clearText === true } }),
    ...(http === undefined
      ? {}
      : { http: { ...listenAddress(http, "--http"), ...common, token: await token(httpTokenFile!) } }),
    ...(outbox === undefined ? {} : { outbox: { folder: outbox } }),
    ...(split === undefined ? {} : { split }),
    ...(mostUnanchored === undefined
      ? {}
      : { mostUnanchored: wholeNumber(mostUnanchored, "--most-unanchored", 1) }),
  };
}

async function token(path: string): Promise<string> {
  const bytes = await readPrivateFile(path, "token", "ERR_USAGE");
  return Buffer.from(bytes).toString("latin1").trim();
}

/** Lines on standard output: numbers and codes, nothing of a message. */
class Report {
  readonly #context: Context;
  readonly #log: EventLog | undefined;
  readonly #troubles = new Troubles();
  #told = "";

  constructor(context: Context, log: EventLog | undefined) {
    this.#context = context;
    this.#log = log;
  }

  get events(): Pick<ListenOptions, "onTaken" | "onAnchored" | "onRefused" | "onChain" | "onUnsound"> {
    return {
      onTaken: ({ bytes, code }) => this.#log?.event("received", { bytes, code }),
      onAnchored: ({ count, firstIndex: index, blockNumber: block, transactionHash: transaction }) =>
        this.#log?.event("ingested", { count, index, block, transaction }),
      onRefused: ({ door, code, later }) => {
        this.#log?.event("refused", { code, retryable: later });
        if (!this.#troubles.isNew(`${door} ${code}`)) return;
        const what = later ? "not taken now" : "refused";
        this.#context.print({ event: "refused", door, code, later }, `${door}: ${what} (${code})`);
      },
      onChain: (failure) => {
        if (failure === undefined) this.#context.print({ event: "anchoring" }, "Anchoring goes on.");
        else if (this.#troubles.isNew(failure.code))
          this.#trouble("not anchored for now, tried again", failure);
      },
      onUnsound: (error) => this.#trouble("an item is set aside", error),
    };
  }

  #trouble(what: string, error: ChartsealError): void {
    this.#log?.error("trouble", error);
    this.#context.print(
      { event: "trouble", error: error.toJSON() },
      `${what}: ${printable(error.message)} (${error.code})`,
    );
  }

  progress(state: ListenState): void {
    const text = textOf(state);
    if (text === this.#told) return;
    this.#told = text;
    this.#context.print({ event: "progress", ...state }, text);
  }

  stopped(state: ListenState): void {
    const { sealed, waiting, known, dead, anchored, superseded } = state;
    this.#log?.event("stopped", { sealed, waiting, known, dead, anchored, superseded });
    this.#context.print({ event: "stopped", ...state }, `Stopped. ${textOf(state)}`);
  }
}

function textOf(state: ListenState): string {
  const { sealed, waiting, known, dead, refused, refusedForNow, anchored, connections } = state;
  return (
    `${sealed} sealed, ${waiting} waiting, ${known} known before, ${dead} dead letters, ${anchored} anchored; ` +
    `${refused} refused, ${refusedForNow} for now; ${connections} connections`
  );
}

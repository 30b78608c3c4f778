// SPDX-License-Identifier: Apache-2.0
import type { ReleaseAgentOptions } from "../../access/index.js";
import type { Chartseal } from "../../chartseal.js";
import { isAgentAddress } from "../../config.js";
import { ChartsealError } from "../../errors.js";
import { Heartbeat, heartbeatFolder, vaultLook, type EventLog } from "../../monitor/index.js";
import type { Context } from "../context.js";
import { listenAddress } from "../listen-address.js";
import { openLog, type LogValues } from "../log-option.js";
import { openMember } from "../open-member.js";
import { printable } from "../../printable.js";
import { tlsArgument, type TlsValues } from "../server-arguments.js";
import { openStandby, rememberedUnlock } from "../standby.js";
import { Troubles } from "../troubles.js";
import type { Vault } from "../../vault/index.js";

type Listen = NonNullable<ReleaseAgentOptions["listen"]>;

interface Values extends LogValues, TlsValues {
  listen?: string;
  peer?: string[];
  standby?: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  const listen = await listenArgument(values);
  const peers = peerArguments(values);
  using unlock = rememberedUnlock(await context.unlock());
  await using chartseal = await openMember(context, { role: "releaser", chain: "expected", unlock });
  using standby =
    values.standby === undefined ? undefined : await openStandby(chartseal, values.standby, unlock);
  const { memberId } = chartseal;
  chartseal.signer("releaser"); // missing, it is told before the agent says that it is ready
  const signal = context.io.interruption();
  using log = await openLog(context, values, "release-agent");
  using _ = Heartbeat.start(...heartbeatOf(chartseal, standby));
  await chartseal.runReleaseAgent({
    signal,
    peers,
    ...(listen === undefined ? {} : { listen }),
    ...(standby === undefined ? {} : { standby }),
    ...telling(context, memberId, log),
  });
  log?.event("stopped");
  context.print({ event: "stopped" }, "Stopped.");
}

/** Says and logs what the agent does. */
function telling(
  context: Context,
  memberId: number,
  log: EventLog | undefined,
): Pick<ReleaseAgentOptions, "onReady" | "onAnswer" | "onLate" | "onError"> {
  const troubles = new Troubles();
  return {
    onReady: (address) => {
      const at = address === undefined ? "" : ` at ${address}`;
      log?.event("ready", { member: memberId });
      context.print(
        { event: "ready", memberId, ...(address === undefined ? {} : { address }) },
        `Member ${memberId} answers requests${at}. Ctrl-C ends it.`,
      );
    },
    onAnswer: ({ accessId, to, error }) => {
      told(log, "answered", error, { accessId, member: to });
      const outcome =
        error === undefined ? "released" : `refused: ${printable(error.message)} (${error.code})`;
      context.print(
        { event: "answer", accessId, to, ...(error === undefined ? {} : { error: error.toJSON() }) },
        `${accessId} to member ${to}: ${outcome}`,
      );
    },
    onLate: ({ windowId, event, error }) => {
      told(log, "late-answered", error, { windowId });
      const outcome = error === undefined ? event : `${event}: ${printable(error.message)} (${error.code})`;
      context.print(
        { event, windowId, ...(error === undefined ? {} : { error: error.toJSON() }) },
        `emergency ${windowId}: ${outcome}`,
      );
    },
    onError: (error) => {
      if (!(error instanceof ChartsealError)) {
        log?.error("trouble", error);
        throw error;
      }
      if (!troubles.isNew(error.code)) return;
      log?.error("trouble", error);
      context.print(
        { event: "trouble", error: error.toJSON() },
        `trouble, tried again until it ends: ${printable(error.message)} (${error.code})`,
      );
    },
  };
}

/** Logs what was done, or why not. */
function told(
  log: EventLog | undefined,
  event: "answered" | "late-answered",
  error: ChartsealError | undefined,
  about: { accessId?: string; windowId?: string; member?: number },
): void {
  if (error === undefined) log?.event(event, about);
  else log?.error("refused", error, about);
}

/** A standby's own vault stays open; the copies that it works with come and go, with their folder. */
function heartbeatOf(
  { config, vault }: Pick<Chartseal, "config" | "vault">,
  standby: { state: Vault } | undefined,
): Parameters<typeof Heartbeat.start> {
  const own = standby?.state ?? vault;
  const folder = standby === undefined ? heartbeatFolder(config) : heartbeatFolder({ journal: own.path });
  return [folder, "release-agent", vaultLook(own)];
}

/** A standby without a peer could not have its receipts filed. @throws ERR_USAGE */
function peerArguments({ peer = [], standby }: Values): string[] {
  const bad = peer.find((address) => !isAgentAddress(address));
  if (bad !== undefined)
    throw new ChartsealError("ERR_USAGE", `--peer takes https, or http to this machine: ${printable(bad)}`);
  if (standby === undefined || peer.length > 0) return peer;
  throw new ChartsealError("ERR_USAGE", "--standby goes with --peer", {
    hint: "name the agent that has the journal: it files the standby's receipts",
  });
}

/** @throws ERR_USAGE */
async function listenArgument({ listen, ...values }: Values): Promise<Listen | undefined> {
  const tls = await tlsArgument(values, listen === undefined ? "--listen" : undefined);
  if (listen === undefined) return undefined;
  return { ...listenAddress(listen), ...(tls === undefined ? {} : { tls }) };
}

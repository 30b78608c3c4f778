// SPDX-License-Identifier: Apache-2.0
import type { ReleaseAgentOptions } from "../../access/index.js";
import { isAgentAddress } from "../../config.js";
import { ChartsealError } from "../../errors.js";
import type { Context } from "../context.js";
import { openMember } from "../open-member.js";
import { printable } from "../../printable.js";
import { serverAddress, tlsArgument, type TlsValues } from "../server-arguments.js";
import { openStandby, rememberedUnlock } from "../standby.js";
import { Troubles } from "../troubles.js";

type Listen = NonNullable<ReleaseAgentOptions["listen"]>;

interface Values extends TlsValues {
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
  const troubles = new Troubles();
  await chartseal.runReleaseAgent({
    signal,
    peers,
    ...(listen === undefined ? {} : { listen }),
    ...(standby === undefined ? {} : { standby }),
    onReady: (address) => {
      const at = address === undefined ? "" : ` at ${address}`;
      context.print(
        { event: "ready", memberId, ...(address === undefined ? {} : { address }) },
        `Member ${memberId} answers requests${at}. Ctrl-C ends it.`,
      );
    },
    onAnswer: ({ accessId, to, error }) => {
      const outcome =
        error === undefined ? "released" : `refused: ${printable(error.message)} (${error.code})`;
      context.print(
        { event: "answer", accessId, to, ...(error === undefined ? {} : { error: error.toJSON() }) },
        `${accessId} to member ${to}: ${outcome}`,
      );
    },
    onLate: ({ windowId, event, error }) => {
      const outcome = error === undefined ? event : `${event}: ${printable(error.message)} (${error.code})`;
      context.print(
        { event, windowId, ...(error === undefined ? {} : { error: error.toJSON() }) },
        `emergency ${windowId}: ${outcome}`,
      );
    },
    onError: (error) => {
      if (!(error instanceof ChartsealError)) throw error;
      if (!troubles.isNew(error.code)) return;
      context.print(
        { event: "trouble", error: error.toJSON() },
        `trouble, tried again until it ends: ${printable(error.message)} (${error.code})`,
      );
    },
  });
  context.print({ event: "stopped" }, "Stopped.");
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
  return { ...serverAddress(listen, "--listen"), ...(tls === undefined ? {} : { tls }) };
}

// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { Chain } from "../../chain/index.js";
import { loadConfig } from "../../config.js";
import { ChartsealError } from "../../errors.js";
import { Collector, heartbeatFolder, metricsText, serveMonitor } from "../../monitor/index.js";
import type { Context } from "../context.js";
import { listenAddress } from "../listen-address.js";
import { openLog, type LogValues } from "../log-option.js";

/** Prometheus' list of default ports: OpenTelemetry and other exporters of metrics. */
const DEFAULT_LISTEN = "127.0.0.1:9464";
/** Milliseconds for a call to the node: Prometheus itself waits 10 s for all of a scrape. */
const CALL_TIMEOUT_MS = 4_000;

interface Values extends LogValues {
  listen?: string;
  expect?: string[];
  processes?: string;
  once?: boolean;
}

export async function run(context: Context, values: Values): Promise<void> {
  const { host, port } = listenAddress(values.listen ?? DEFAULT_LISTEN);
  const config = await loadConfig(context.globals.config);
  using chain = Chain.open({ ...config.chain, callTimeoutMs: CALL_TIMEOUT_MS });
  const heartbeats = values.processes === undefined ? heartbeatFolder(config) : resolve(values.processes);
  const collector = new Collector({ config, chain, heartbeats, expected: expectedOf(values) });
  if (values.once === true) return await printOnce(context, collector);
  using log = await openLog(context, values, "monitor");
  const signal = context.io.interruption();
  const { address, stopped } = await serveMonitor(collector, { host, port, signal });
  context.print({ event: "ready", address }, `Metrics at ${address}/metrics. Ctrl-C ends it.`);
  log?.event("ready", { port: Number(new URL(address).port) });
  await stopped;
  log?.event("stopped");
  context.print({ event: "stopped" }, "Stopped.");
}

async function printOnce(context: Context, collector: Collector): Promise<void> {
  const reading = await collector.read();
  const { text } = await metricsText(reading);
  context.print({ ...reading, ready: await collector.ready() }, text.trimEnd());
}

/** @throws ERR_USAGE */
function expectedOf({ expect = [] }: Values): string[] {
  const bad = expect.find((name) => !/^[a-z][a-z-]{0,31}$/.test(name));
  if (bad === undefined) return expect;
  throw new ChartsealError("ERR_USAGE", "--expect takes the name of a process", {
    hint: "such as release-agent",
  });
}

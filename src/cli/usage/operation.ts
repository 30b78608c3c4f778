// SPDX-License-Identifier: Apache-2.0
import { LOG_OPTIONS } from "../log-option.js";
import { option, type CommandSpec } from "../spec.js";

/** For those who keep it running. */
export const OPERATION: CommandSpec[] = [
  {
    name: "monitor",
    summary: "serve figures for Prometheus, from outside of the other processes and without a passphrase",
    details:
      "GET /metrics: what waits and since when, refused items, the chain's head, nonces, disks, processes, whether the\n" +
      "vault is locked, overdue emergencies, backups. GET /healthz: the monitor lives. GET /readyz: this member can work.\n" +
      "On this machine only. Alert rules are in network/prometheus, what to do in docs/operations.md.",
    options: [
      option("--listen <host:port>", "where to answer; default 127.0.0.1:9464"),
      option(
        "--expect <process>...",
        "a process that should always run: its absence shows, and is not ready",
      ),
      option(
        "--processes <folder>",
        "where the processes say that they live; default: alive, beside the journal",
      ),
      option("--once", "print the figures once and end, as for a textfile collector"),
      ...LOG_OPTIONS,
    ],
    examples: [
      "monitor --expect release-agent",
      "monitor --once > /var/lib/prometheus/node-exporter/chartseal.prom",
    ],
    load: () => import("../commands/monitor.js"),
  },
];

// SPDX-License-Identifier: Apache-2.0
export { ChainReader } from "./chain-figures.js";
export { Collector, type Reading, type Ready } from "./collector.js";
export { openEventLog, type EventLog, type LogLevel } from "./event-log.js";
export { Heartbeat, heartbeatFolder, readHeartbeats } from "./heartbeat.js";
export { metricsText, serveMonitor } from "./server.js";
export { vaultLook } from "./vault-look.js";

// SPDX-License-Identifier: Apache-2.0
export { Access } from "./access.js";
export type { AccessOptions, AccessParts, ScopeOptions } from "./access.js";
export { accessEventOf, accessTopics, type AccessEvent, type Scope } from "./access-event.js";
export { Chart, type ChartEntry, type EntryLabels } from "./chart.js";
export { FolderExchange, type Exchange, type Message, type MessageType } from "./exchange.js";
export { requireSender, signMessage } from "./messages.js";
export { OpenedAccess, type OpenedEntry } from "./opened-access.js";
export { answerRequests, runReleaseAgent, type AgentParts, type Answer } from "./release-agent.js";

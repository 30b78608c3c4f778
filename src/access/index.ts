// SPDX-License-Identifier: Apache-2.0
export { Access } from "./access.js";
export type { AccessOptions, AccessParts, ScopeOptions } from "./access.js";
export { accessEventOf, type AccessEvent, type Scope } from "./access-event.js";
export type { AgentParts, Answer } from "./answer-request.js";
export { cardBlocks, cardSvg, cardText, parseCard, type Card } from "./card.js";
export { Chart, type ChartEntry, type EntryLabels } from "./chart.js";
export {
  Emergencies,
  statementDigest,
  statementName,
  type EmergencyWindow,
  type PreparedEmergency,
  type Statement,
  type EmergencyVerdict,
} from "./emergencies.js";
export type { Exchange } from "./exchange.js";
export { FolderExchange } from "./folder-exchange.js";
export type { LateAccess, LateOptions } from "./late-access.js";
export { runLateAgent, type LateAnswer } from "./late-agent.js";
export { runLookupAgent } from "./lookup-agent.js";
export { lookUp, type LookupOptions, type LookupResult } from "./lookups.js";
export type { Message, MessageType } from "./message.js";
export { inParallel } from "./in-parallel.js";
export { requireSender, signMessage } from "./messages.js";
export { OpenedAccess, type OpenedEntry } from "./opened-access.js";
export { withoutErased } from "./release.js";
export { runReleaseAgent } from "./release-agent.js";

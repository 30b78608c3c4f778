// SPDX-License-Identifier: Apache-2.0
export type { Answer } from "./answer-request.js";
export type { LateAnswer } from "./late-agent.js";
export { runAgentService, type ReleaseAgentOptions } from "./agent-service.js";
export { Access } from "./access.js";
export type { AccessOptions, AccessParts, ScopeOptions } from "./access.js";
export { accessEventOf, type AccessEvent, type Scope } from "./access-event.js";
export { cardBlocks, cardSvg, cardText, parseCard, type Card } from "./card.js";
export { Chart, type ChartEntry, type EntryLabels } from "./chart.js";
export { CustodianAgent, type CustodianAgentOptions } from "./custodian-agent.js";
export {
  Emergencies,
  statementDigest,
  statementName,
  type PreparedEmergency,
  type Statement,
} from "./emergencies.js";
export {
  dutiesOf,
  type EmergencyDuty,
  type EmergencyVerdict,
  type EmergencyWindow,
} from "./emergency-window.js";
export type { Exchange } from "./exchange.js";
export { FolderExchange } from "./folder-exchange.js";
export { HttpExchange, type HttpExchangeOptions } from "./http-exchange.js";
export { openExchange, readTls } from "./open-exchange.js";
export { openOwnRecords } from "./open-own-records.js";
export type { LateAccess, LateOptions } from "./late-access.js";
export { lookUp, type LookupOptions, type LookupResult } from "./lookups.js";
export type { Message, MessageType } from "./message.js";
export { inParallel } from "./in-parallel.js";
export { requireSender, signMessage } from "./messages.js";
export { OwnRecords, type OwnRequestOptions, type PreparedOwnRequest } from "./own-records.js";
export { ownRequestFields, ownRequestTerms } from "./own-request.js";
export type { Acknowledgement } from "./patient-desk.js";
export { OpenedAccess, type OpenedEntry } from "./opened-access.js";
export { LONGEST_KNOWN } from "./last-known.js";
export { lateReleasesOf } from "./late-release.js";
export { REDEEMABLE_SECONDS } from "./permission.js";
export { copyVault } from "./vault-copies.js";
export { withoutErased } from "./stored-release.js";

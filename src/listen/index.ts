// SPDX-License-Identifier: Apache-2.0
export type {
  ConnectionEvent,
  Door,
  ListenCounts,
  ListenEvents,
  RefusedEvent,
  TakenEvent,
} from "./events.js";
export type { FhirOptions } from "./fhir-server.js";
export { listen, type Listener, type ListenOptions, type ListenState } from "./listener.js";
export type { MllpTimes } from "./mllp-connection.js";
export type { MllpOptions } from "./mllp-server.js";
export type { OutboxOptions } from "./outbox.js";

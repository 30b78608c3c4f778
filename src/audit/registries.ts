// SPDX-License-Identifier: Apache-2.0
import type { Registry } from "./place.js";

/** Where each contract stands in a deployment, and which topic of its events is the patient id. In the order shown. */
export const REGISTRIES = {
  PatientRegistry: { part: "patients", patientTopic: 1 },
  ConsentRegistry: { part: "consents", patientTopic: 1 },
  LegalOrders: { part: "orders", patientTopic: 1 },
  BreakGlass: { part: "emergencies", patientTopic: 2 },
  AccessLog: { part: "accessLog", patientTopic: 2 },
  RecordRegistry: { part: "records", patientTopic: 3 },
} as const satisfies Record<Registry, { part: string; patientTopic: number }>;

export const REGISTRY_NAMES = Object.keys(REGISTRIES) as Registry[];

/** One value for each contract. */
export function perRegistry<Value>(value: (registry: Registry) => Value): Record<Registry, Value> {
  return Object.fromEntries(REGISTRY_NAMES.map((name) => [name, value(name)])) as Record<Registry, Value>;
}

// SPDX-License-Identifier: Apache-2.0
export {
  auditStores,
  type AuditedReplica,
  type DurabilityFinding,
  type DurabilityReport,
  type StoreAuditOptions,
} from "./audit.js";
export { collectGarbage, type Garbage, type GarbageOptions } from "./garbage.js";
export { erasedBodies } from "./erased-bodies.js";
export { repairReplicas, whyUnreachable, type RepairOptions, type RepairResult } from "./repair.js";
export { reportDocument } from "./report-document.js";

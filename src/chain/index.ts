// SPDX-License-Identifier: Apache-2.0
export { Chain } from "./chain.js";
export {
  ALL_COMPARTMENTS,
  bitNames,
  ENTRY_STATUS,
  ROLES,
  SUSPENSIONS,
  WITHDRAWN,
  type Role,
  type Suspension,
} from "./contract-bits.js";
export { isContractError } from "./contract-error.js";
export { deploy, type DeployOptions } from "./deploy.js";
export { deploymentSchema, type Deployment } from "./deployment.js";
export { holdsEvent } from "./holds-event.js";
export { collectLogs, readLogs, type LogFilter } from "./log-reader.js";
export { advanceHead, headCount, headOfLogs } from "./patient-head.js";
export { keySigner, type StaffSigner } from "./staff-signer.js";
export { waitForReceipt } from "./receipt-wait.js";
export { Writer, type Call, type SignedTransaction } from "./writer.js";

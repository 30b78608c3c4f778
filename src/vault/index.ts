// SPDX-License-Identifier: Apache-2.0
export type { Backup, WrappedKek } from "./backups.js";
export { DEFAULT_COMPARTMENTS } from "./compartment-names.js";
export { type ContentKey } from "./content-keys.js";
export { type MemberKey } from "./member-keys.js";
export {
  credential,
  fileDescriptor,
  passphrase,
  readPrivateFile,
  type Unlock,
  type UnlockPurpose,
} from "./passphrase.js";
export { openCell, sealCell, type Cell } from "./sealed-cell.js";
export {
  normalIdentifier,
  type NewPatient,
  type PatientDetails,
  type PatientIdentifier,
} from "./patients.js";
export { prompt, type PromptInput, type PromptOptions, type PromptTerminal } from "./prompt.js";
export { Vault } from "./vault.js";
export { type Withdrawal } from "./withdrawals.js";

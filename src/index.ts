// SPDX-License-Identifier: Apache-2.0
// The public API. What is not exported here may change without notice.
export { Chartseal, type Acting, type OpenOptions, type ReleaseAgentOptions } from "./chartseal.js";
export { loadConfig, loadDeployment, type Config } from "./config.js";
export { ChartsealError, ERROR_CODES, type ErrorCode, type ErrorDetails } from "./errors.js";
export {
  Access,
  Chart,
  Emergencies,
  FolderExchange,
  HttpExchange,
  OpenedAccess,
  statementDigest,
  type AccessOptions,
  type Answer,
  type ChartEntry,
  type EmergencyVerdict,
  type EmergencyWindow,
  type EntryLabels,
  type Exchange,
  type HttpExchangeOptions,
  type Message,
  type MessageType,
  type OpenedEntry,
  type PreparedEmergency,
  type ScopeOptions,
  type Statement,
} from "./access/index.js";
export {
  Acts,
  Attestations,
  addSignature,
  papersFor,
  parseActFile,
  signAct,
  type Act,
  type ActFile,
  type ActSignature,
  type ChangeRequest,
  type GuardianRequest,
  type OnPaper,
  type Paper,
  type PatientStanding,
} from "./acts/index.js";
export {
  auditEventNdjson,
  csv,
  timeline,
  type Audit,
  type AuditEntry,
  type AuditFilter,
} from "./audit/index.js";
export {
  Chain,
  ROLES,
  Writer,
  deploy,
  keySigner,
  type DeployOptions,
  type Deployment,
  type Role,
  type StaffSigner,
} from "./chain/index.js";
export {
  Consent,
  PURPOSES,
  Patients,
  accountSigner,
  passkeyChallenge,
  passkeySignature,
  passkeySigner,
  signAs,
  type DirectiveRequest,
  type Enrolment,
  type GrantTicket,
  type PasskeyAssertion,
  type PatientSigner,
  type PreparedTerms,
  type Purpose,
  type Terms,
  type TermsRequest,
  type TypedData,
} from "./consent/index.js";
export {
  LeafKind,
  parseReceipt,
  verifyReceipt,
  type Check,
  type Hex,
  type Leaf,
  type Manifest,
  type Receipt,
  type TrustedRoot,
  type Verdict,
} from "./crypto/index.js";
export {
  bundleSource,
  fileSource,
  folderSource,
  ndjsonSource,
  sourceFor,
  stdinSource,
  type AnchorDocumentOptions,
  type IngestOptions,
  type IngestProgress,
  type IngestResult,
  type Source,
  type SupportingDocument,
} from "./ingest/index.js";
export { Holds, type HeldEntry, type HoldAct } from "./lifecycle/index.js";
export { Members, type MemberInfo, type StaffEnrolment, type StaffInfo } from "./members/index.js";
export {
  loadRules,
  verifyLog,
  type AnchoredEntry,
  type Finding,
  type LogVerdict,
  type PatientRules,
} from "./records/index.js";
export {
  cidOfDigest,
  openEmbeddedStore,
  type BlobStore,
  type Stored,
  type Verification,
} from "./storage/index.js";
export {
  Vault,
  credential,
  fileDescriptor,
  passphrase,
  prompt,
  type PatientIdentifier,
  type Unlock,
} from "./vault/index.js";

// SPDX-License-Identifier: Apache-2.0
export { parseActFile, type Act, type ActFile, type ActSignature } from "./act.js";
export { Acts, type ChangeRequest, type GuardianRequest } from "./acts.js";
export { Attestations, type OnPaper } from "./attestations.js";
export { papersOf, type Paper } from "./papers.js";
export { addSignature, papersFor, signAct } from "./sign.js";
export type { PatientStanding } from "./signers.js";

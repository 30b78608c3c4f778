// SPDX-License-Identifier: Apache-2.0
export { parseActFile, type Act, type ActFile, type ActOf, type ActSignature } from "./act.js";
export { Acts, SIGNING_TIME, type ChangeRequest, type GuardianRequest } from "./acts.js";
export { Attestations, type OnPaper } from "./attestations.js";
export { papersOf, type Paper } from "./papers.js";
export { signedAct } from "./relay.js";
export { addSignature, papersFor, signAct } from "./sign.js";
export type { PatientStanding } from "./signers.js";

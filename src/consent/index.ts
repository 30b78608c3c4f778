// SPDX-License-Identifier: Apache-2.0
export { Consent } from "./consent.js";
export type { DirectiveRequest, PreparedTerms } from "./consent.js";
export { passkeyChallenge, passkeySignature, passkeySigner, type PasskeyAssertion } from "./passkey.js";
export { Patients, type Enrolment } from "./patients.js";
export { PURPOSES, purposeCode, purposeNumber, type Purpose } from "./purposes.js";
export {
  bitmapOf,
  dayNumber,
  hashTerms,
  makeOrderTerms,
  termsSchema,
  type Terms,
  type TermsRequest,
} from "./terms.js";
export { badTicket, parseTicket, type GrantTicket } from "./ticket.js";
export { accountSigner, signAs, typedData, type PatientSigner, type TypedData } from "./typed-data.js";

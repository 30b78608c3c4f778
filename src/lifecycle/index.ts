// SPDX-License-Identifier: Apache-2.0
export { GROUNDS, type ErasureCertificate, type Ground } from "./certificate.js";
export { Erasures, type Erased, type ErasureAct, type Permit } from "./erasures.js";
export { Holds, type HeldEntry, type HoldAct } from "./holds.js";

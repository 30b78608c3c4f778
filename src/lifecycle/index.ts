// SPDX-License-Identifier: Apache-2.0
export { Holds, type HeldEntry, type HoldAct } from "./holds.js";

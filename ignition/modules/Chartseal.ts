// SPDX-License-Identifier: Apache-2.0
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { EMERGENCY_LIMITS, RECOVERY_DELAY, RETENTION, WAITING_TIME } from "../../src/chain/limits.js";

/**
 * The seven contracts, their AccessManager and the verifier of passkeys. Parameters:
 * - `governance`: the account that admits, suspends and removes members (the AccessManager's admin);
 * - `waitingTime`: seconds before a new staff account may witness or countersign, 3,600 to 1,209,600;
 * - `recoveryDelay`: seconds before a lost key is replaced, 259,200 to 7,776,000;
 * - `retention`: days that records are kept, 365 to 36,525;
 * - `emergencies`: the limits of IBreakGlass.
 */
export const Chartseal = buildModule("Chartseal", (m) => {
  const authority = m.contract("AccessManager", [m.getParameter("governance")]);
  const passkeys = m.contract("ERC7913WebAuthnVerifier");
  const members = m.contract("MemberRegistry", [authority, m.getParameter("waitingTime", WAITING_TIME)]);
  const patients = m.contract("PatientRegistry", [
    members,
    passkeys,
    m.getParameter("recoveryDelay", RECOVERY_DELAY),
  ]);
  const records = m.contract("RecordRegistry", [members, patients, m.getParameter("retention", RETENTION)]);
  const consents = m.contract("ConsentRegistry", [members, patients, records]);
  const orders = m.contract("LegalOrders", [members, patients, records]);
  const emergencies = m.contract("BreakGlass", [
    members,
    patients,
    consents,
    m.getParameter("emergencies", EMERGENCY_LIMITS),
  ]);
  const accessLog = m.contract("AccessLog", [members, patients, records, consents, orders, emergencies]);
  return { authority, passkeys, members, patients, records, consents, orders, emergencies, accessLog };
});

// Ignition loads a module by its default export.
export default Chartseal;

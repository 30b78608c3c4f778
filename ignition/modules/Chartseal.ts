// SPDX-License-Identifier: Apache-2.0
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/**
 * The five contracts and their AccessManager. Parameters:
 * - `governance`: the account that admits, suspends and removes members (the AccessManager's admin);
 * - `waitingTime`: seconds before a new staff account may witness or countersign, 3,600 to 1,209,600.
 */
export const Chartseal = buildModule("Chartseal", (m) => {
  const authority = m.contract("AccessManager", [m.getParameter("governance")]);
  const members = m.contract("MemberRegistry", [authority, m.getParameter("waitingTime", 86_400)]);
  const patients = m.contract("PatientRegistry", [members]);
  const records = m.contract("RecordRegistry", [members]);
  const consents = m.contract("ConsentRegistry", [members, patients]);
  const accessLog = m.contract("AccessLog", [members, records, consents]);
  return { authority, members, patients, records, consents, accessLog };
});

// Ignition loads a module by its default export.
export default Chartseal;

// SPDX-License-Identifier: Apache-2.0
// The generated index also has what only tests deploy: it would come into the package.
export { AccessManager__factory } from "../../typechain-types/factories/@openzeppelin/contracts/access/manager/AccessManager__factory.js";
export { ERC7913WebAuthnVerifier__factory } from "../../typechain-types/factories/@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913WebAuthnVerifier__factory.js";
export {
  AccessLog__factory,
  BreakGlass__factory,
  ConsentRegistry__factory,
  LegalOrders__factory,
  MemberRegistry__factory,
  PatientRegistry__factory,
  RecordRegistry__factory,
} from "../../typechain-types/factories/contracts/index.js";
export type {
  AccessLog,
  BreakGlass,
  ConsentRegistry,
  LegalOrders,
  MemberRegistry,
  PatientRegistry,
  RecordRegistry,
} from "../../typechain-types/contracts/index.js";

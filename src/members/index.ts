// SPDX-License-Identifier: Apache-2.0
export { Members, type MemberInfo, type StaffEnrolment, type StaffInfo } from "./members.js";
export { REVOCATION_REASONS, roleBits, type RevocationReason } from "./roles.js";

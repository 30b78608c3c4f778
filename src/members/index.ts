// SPDX-License-Identifier: Apache-2.0
export { Members, type MemberInfo, type StaffEnrolment, type StaffInfo } from "./members.js";
export { REVOCATION_REASONS, ROLES, roleBits, roleNames, type RevocationReason, type Role } from "./roles.js";

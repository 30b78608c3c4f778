// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {AccessActions} from "./AccessActions.sol";
import {check} from "./Check.sol";

/// @notice A consortium at work, and what must hold of it at any time.
abstract contract ConsortiumProperties is AccessActions {
    /// @dev Three members, each with an OPERATOR and a CLINICIAN; some patients, batches and grants.
    constructor() {
        for (uint32 memberId = 1; memberId <= 3; ++memberId) {
            address admin = address(uint160(0xad00 + memberId));
            address operator = _account(2 * memberId - 2);
            address clinician = _account(2 * memberId - 1);
            uint48 notAfter = uint48(_clock + 300 days);
            _admit(GOVERNANCE, admin);
            _enrol(admin, memberId, operator, OPERATOR, notAfter, bytes32(uint256(1)));
            _enrol(admin, memberId, clinician, CLINICIAN, notAfter, bytes32(uint256(2)));
        }
        _orderly = true;
        for (uint256 scene = 0; scene < 6; ++scene) {
            register(scene);
            anchor(scene);
            grant(scene);
        }
        _orderly = false;
    }

    function clock() external view returns (uint256) {
        return _clock;
    }

    /// @notice Every action that ends in a call; what bars others comes last.
    function actions() external pure returns (bytes4[] memory list) {
        list = new bytes4[](17);
        list[0] = this.register.selector;
        list[1] = this.anchor.selector;
        list[2] = this.grant.selector;
        list[3] = this.requestRecords.selector;
        list[4] = this.requestScope.selector;
        list[5] = this.supersede.selector;
        list[6] = this.retract.selector;
        list[7] = this.revoke.selector;
        list[8] = this.setDirective.selector;
        list[9] = this.publishKey.selector;
        list[10] = this.enrolStaff.selector;
        list[11] = this.updateStaff.selector;
        list[12] = this.revokeStaff.selector;
        list[13] = this.admit.selector;
        list[14] = this.setAdmin.selector;
        list[15] = this.setSuspension.selector;
        list[16] = this.remove.selector;
    }

    /// @dev The model only ever adds to a head, so one that is equal to it never falls.
    function checkLogs() external view {
        for (uint32 memberId = 0; memberId <= _memberCount; ++memberId) {
            check(RECORDS.headOf(memberId) == _members[memberId].head, "head is not the sum of the batches");
        }
        for (uint256 i = 0; i < _batches.length; ++i) {
            GhostBatch storage batch = _batches[i];
            (bytes32 root, ) = RECORDS.rootAndStatus(
                batch.memberId,
                batch.firstIndex,
                uint32(batch.leaves.length),
                batch.firstIndex
            );
            check(root != 0, "a batch is lost");
        }
    }

    function checkGrants() external view {
        for (uint256 i = 0; i < _terms.length; ++i) {
            Terms memory terms = _terms[i];
            bytes32 termsHash = _hashOf(terms);
            GhostGrant storage given = _grants[terms.patientId][termsHash];
            GhostDirective storage directive = _directives[terms.patientId];
            bool stands = given.custodian != 0 && !given.revoked && !directive.denyAll;
            try CONSENTS.standingOf(terms.patientId, termsHash) returns (uint32 custodian, uint64 denied) {
                check(stands, "a grant stands that was revoked, denied or not given");
                check(custodian == _patients[terms.patientId].custodian, "custodian of the grant");
                check(denied == directive.deniedCompartments, "denied compartments");
            } catch {
                check(!stands, "a grant fell without a revocation");
            }
        }
    }

    function checkHeads() external view {
        for (uint256 i = 0; i < _patientIds.length; ++i) {
            bytes32 patientId = _patientIds[i];
            check(
                PATIENT_REGISTRY.headOf(patientId) == headFromLogs[address(PATIENT_REGISTRY)][patientId],
                "head: patients"
            );
            check(CONSENTS.headOf(patientId) == headFromLogs[address(CONSENTS)][patientId], "head: consents");
            check(
                ACCESS_LOG.headOf(patientId) == headFromLogs[address(ACCESS_LOG)][patientId],
                "head: accesses"
            );
            check(uint40(PATIENT_REGISTRY.headOf(patientId)) == 1, "a patient is registered once");
        }
    }

    function checkStatuses() external view {
        for (uint256 i = 0; i < _batches.length; ++i) {
            GhostBatch storage batch = _batches[i];
            for (uint256 j = 0; j < batch.leaves.length; ++j) {
                uint64 index = uint64(batch.firstIndex + j);
                check(RECORDS.statusOf(batch.memberId, index) == _status[batch.memberId][index], "status");
            }
        }
    }

    function checkSigners() external view {
        for (uint256 i = 0; i < _patientIds.length; ++i) {
            IPatientRegistry.Patient memory patient = PATIENT_REGISTRY.patientOf(_patientIds[i]);
            GhostPatient storage ghost = _patients[_patientIds[i]];
            check(patient.custodian == ghost.custodian, "custodian is for good");
            check(keccak256(patient.signer) == keccak256(ghost.signer), "signer");
            if (patient.signer.length == 0) continue;
            (bytes32 owner, ) = PATIENT_REGISTRY.patientOfKey(patient.signer);
            check(owner == _patientIds[i], "a signer of two patients");
        }
    }

    function checkStaff() external view {
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            address account = _account(i);
            check(
                MEMBERS.staffOf(account).revokedSince == _staff[account].revokedSince,
                "revoked since when"
            );
            for (uint8 role = OPERATOR; role <= CLINICIAN; ++role) {
                // OPERATOR writes, CLINICIAN reads.
                uint8 activity = role == OPERATOR ? WRITING : READING;
                bool may = _mayAct(account, role, activity);
                try MEMBERS.authorized(account, role, activity) returns (uint32 memberId) {
                    check(may, "may act against the rules");
                    check(memberId == _staff[account].memberId, "for another member");
                } catch {
                    check(!may, "may not act, and no rule forbids it");
                }
                bool seasoned = may && _clock >= _staff[account].since + 1 hours;
                try MEMBERS.authorizedSeasoned(account, role, activity) {
                    check(seasoned, "counts as a second person too early");
                } catch {
                    check(!seasoned, "does not count as a second person");
                }
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMemberRegistry} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {check} from "./Check.sol";
import {ReadingProperties} from "./ReadingProperties.sol";

/// @notice A consortium at work, and what must hold of it at any time.
abstract contract ConsortiumProperties is ReadingProperties {
    /// @dev Three members, each with an OPERATOR, two CLINICIANs, a REVIEWER and an agent; some patients, batches and
    /// grants.
    constructor() {
        for (uint32 memberId = 1; memberId <= 3; ++memberId) {
            address admin = address(uint160(0xad00 + memberId));
            uint48 notAfter = uint48(_clock + 300 days);
            _admit(GOVERNANCE, admin);
            for (uint256 n = 0; n < 4; ++n) {
                uint256 account = 4 * memberId - 4 + n;
                uint8 roles = [OPERATOR, CLINICIAN, CLINICIAN, REVIEWER][n];
                _enrol(admin, memberId, _account(account), roles, notAfter, bytes32(account + 1));
            }
            _enrol(admin, memberId, _releaserOf(memberId), RELEASER, notAfter, bytes32(PERSONS + memberId));
        }
        _clock += 2 hours; // from now on they count as persons
        _orderly = true;
        for (uint256 scene = 0; scene < 6; ++scene) {
            if (scene == 1) registerWithGuardians(scene);
            else register(scene);
            anchor(scene);
            grant(scene);
            setDelegate(scene);
            if (scene > 3) {
                breakGlass(scene);
                enterOrder(scene);
            }
        }
        _orderly = false;
    }

    function clock() external view returns (uint256) {
        return _clock;
    }

    /// @notice Every action that ends in a call; what bars others comes last.
    function actions() external pure returns (bytes4[] memory list) {
        list = new bytes4[](46);
        list[0] = this.register.selector;
        list[1] = this.registerWithGuardians.selector;
        list[2] = this.anchor.selector;
        list[3] = this.grant.selector;
        list[4] = this.supersede.selector;
        list[5] = this.retract.selector;
        list[6] = this.breakGlass.selector;
        list[7] = this.enterOrder.selector;
        list[8] = this.requestRecords.selector;
        list[9] = this.requestScope.selector;
        list[10] = this.placeHold.selector;
        list[11] = this.erase.selector;
        list[12] = this.liftEndedHold.selector;
        list[13] = this.liftHold.selector;
        list[14] = this.rotateSigner.selector;
        list[15] = this.grantWitnessed.selector;
        list[16] = this.flagOverdue.selector;
        list[17] = this.justify.selector;
        list[18] = this.review.selector;
        list[19] = this.liftOrder.selector;
        list[20] = this.revoke.selector;
        list[21] = this.revokeWitnessed.selector;
        list[22] = this.denyWitnessed.selector;
        list[23] = this.setDirective.selector;
        list[24] = this.proposeChange.selector;
        list[25] = this.cancelChange.selector;
        list[26] = this.withdrawChange.selector;
        list[27] = this.completeChange.selector;
        list[28] = this.publishKey.selector;
        list[29] = this.enrolStaff.selector;
        list[30] = this.updateStaff.selector;
        list[31] = this.revokeStaff.selector;
        list[32] = this.admit.selector;
        list[33] = this.setAdmin.selector;
        list[34] = this.setSuspension.selector;
        list[35] = this.remove.selector;
        list[36] = this.setGuardians.selector;
        list[37] = this.setDelegate.selector;
        list[38] = this.grantByDelegate.selector;
        list[39] = this.revokeByDelegate.selector;
        list[40] = this.proposeByGuardians.selector;
        list[41] = this.fileLate.selector;
        list[42] = this.logLookup.selector;
        list[43] = this.requestOwn.selector;
        list[44] = this.withdrawKey.selector;
        list[45] = this.sharePerson.selector;
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
            _checkGiver(terms, termsHash, given);
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

    /// @dev Nobody gives for a patient what outlasts him who gives it.
    function _checkGiver(Terms memory terms, bytes32 termsHash, GhostGrant storage given) private view {
        uint8 givenBy = uint8(CONSENTS.grantOf(terms.patientId, termsHash).givenBy);
        check(givenBy == given.givenBy, "given by another");
        check(givenBy == 0 || terms.notAfter <= given.givenUntil, "outlasts who gave it");
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
                RECORDS.patientHeadOf(patientId) == headFromLogs[address(RECORDS)][patientId],
                "head: entries"
            );
            check(
                ACCESS_LOG.headOf(patientId) == headFromLogs[address(ACCESS_LOG)][patientId],
                "head: accesses"
            );
            check(
                BREAK_GLASS.headOf(patientId) == headFromLogs[address(BREAK_GLASS)][patientId],
                "head: emergencies"
            );
            check(
                LEGAL_ORDERS.headOf(patientId) == headFromLogs[address(LEGAL_ORDERS)][patientId],
                "head: orders"
            );
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
            check(uint8(patient.condition) == ghost.condition, "condition");
            check(patient.threshold == ghost.threshold, "threshold");
            check(patient.guardiansUntil == ghost.guardiansUntil, "guardians until when");
            check(patient.nonce == ghost.nonce, "an act was counted twice, or not at all");
            check(patient.loosensFrom == ghost.loosensFrom, "loosens from when");
            for (uint256 n = 0; n < ghost.guardians.length; ++n) {
                check(PATIENT_REGISTRY.isGuardian(_patientIds[i], ghost.guardians[n]), "a guardian is lost");
            }
            _checkDelegates(_patientIds[i]);
        }
        for (uint256 n = 0; n < _keysEver.length; ++n) {
            (bytes32 owner, IPatientRegistry.KeyUse use) = PATIENT_REGISTRY.patientOfKey(_keysEver[n]);
            GhostKey storage key = _keys[keccak256(_keysEver[n])];
            check(owner == key.patientId && uint8(use) == key.use, "a key serves one patient for good");
            bool guards = _isGuardian(_patients[owner], _keysEver[n]);
            check(PATIENT_REGISTRY.isGuardian(owner, _keysEver[n]) == guards, "a guardian who was replaced");
        }
    }

    function _checkDelegates(bytes32 patientId) private view {
        bytes[] storage delegates = _delegates[patientId];
        for (uint256 n = 0; n < delegates.length; ++n) {
            uint256 until = PATIENT_REGISTRY.delegateUntil(patientId, delegates[n]);
            check(until == _delegateUntil[patientId][keccak256(delegates[n])], "a delegate until when");
        }
    }

    function checkStaff() external view {
        for (uint32 memberId = 1; memberId <= _memberCount; ++memberId) {
            IMemberRegistry.Member memory member = MEMBERS.memberOf(memberId);
            check(member.keyEpoch == _members[memberId].keyEpoch, "a key's number");
            check((member.keyDigest != 0) == _members[memberId].keyStands, "a key that was withdrawn");
        }
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
                bool seasoned = _mayCount(account, role, activity);
                try MEMBERS.authorizedSeasoned(account, role, activity) {
                    check(seasoned, "counts as a second person too early");
                } catch {
                    check(!seasoned, "does not count as a second person");
                }
            }
        }
    }
}

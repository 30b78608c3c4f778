// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IBreakGlass} from "../interfaces/IBreakGlass.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "../interfaces/IPatientRegistry.sol";
import {Cosigners} from "../libraries/Cosigners.sol";
import {Roles} from "../libraries/Roles.sol";
import {Suspension} from "../libraries/Suspension.sol";
import {EmergencyReviews} from "./EmergencyReviews.sol";

/// @title LateReleases
/// @notice What was released while the chain was down comes on record: late, flagged as such, and with the duties of
/// any emergency.
abstract contract LateReleases is EmergencyReviews, EIP712 {
    /// @dev Longest time from an opening or a release to the deadline that was signed for it: nobody keeps a colleague's
    /// signature for another day.
    uint48 internal constant LONGEST_SIGNED = 1 hours;
    bytes32 private constant EMERGENCY_RELEASE_TYPEHASH = keccak256(
        "EmergencyRelease(address initiator,address colleague,bytes32 patientId,bytes32 reasonDigest,bytes32 nonce,uint48 deadline)"
    );

    /// @notice Who keeps a patient's records.
    IPatientRegistry public immutable PATIENT_REGISTRY;

    constructor(IPatientRegistry patients) {
        PATIENT_REGISTRY = patients;
    }

    /// @inheritdoc IBreakGlass
    function fileLate(LateRelease calldata released) external returns (bytes32 windowId) {
        if (released.reasonDigest == 0 || released.releaseDigest == 0) revert DigestZero();
        uint32 custodian = _requireReleaser(released.patientId);
        _requireInTime(released);
        windowId = _structHashOf(released);
        if (_windows[windowId].patientId != 0) revert AlreadyFiled(windowId);
        Window memory window = _signedByTwo(released, _hashTypedDataV4(windowId));
        if (window.memberId == custodian) revert OwnPatient(released.patientId, custodian);
        window.custodian = custodian;

        _windows[windowId] = window;
        _advance(
            LateReleaseFiled.selector,
            windowId,
            released.patientId,
            released.initiator,
            keccak256(
                abi.encode(
                    window.memberId,
                    released.colleague,
                    released.reasonDigest,
                    released.releaseDigest,
                    released.releasedAt,
                    window.openedAt
                )
            )
        );

        emit LateReleaseFiled(
            windowId,
            released.patientId,
            released.initiator,
            window.memberId,
            released.colleague,
            released.reasonDigest,
            released.releaseDigest,
            released.releasedAt,
            window.openedAt
        );
    }

    function _requireReleaser(bytes32 patientId) private view returns (uint32 custodian) {
        uint32 memberId = MEMBERS.authorized(msg.sender, Roles.RELEASER, Suspension.REMOVED);
        custodian = PATIENT_REGISTRY.custodianOf(patientId);
        if (memberId != custodian) revert ReleaserOfAnother(patientId, memberId);
    }

    /// @dev The time of the release is the custodian's word, within what the two signed for.
    function _requireInTime(LateRelease calldata released) private view {
        uint48 releasedAt = released.releasedAt;
        uint48 deadline = released.deadline;
        if (releasedAt > deadline || deadline - releasedAt > LONGEST_SIGNED) {
            revert ReleaseOutsideSignature(releasedAt, deadline);
        }
        if (releasedAt > block.timestamp) revert ReleaseInFuture(releasedAt);
        uint48 fileWithin = _fileWithin();
        if (block.timestamp - releasedAt > fileWithin) revert FiledTooLate(releasedAt, fileWithin);
    }

    function _signedByTwo(
        LateRelease calldata released,
        bytes32 digest
    ) private view returns (Window memory window) {
        (window.memberId, window.readerPerson) = _signer(
            released.initiator,
            digest,
            released.initiatorSignature
        );
        (window.colleagueMember, window.colleaguePerson) = _signer(
            released.colleague,
            digest,
            released.colleagueSignature
        );
        if (window.readerPerson == window.colleaguePerson) revert Cosigners.SamePerson(window.readerPerson);
        window.patientId = released.patientId;
        window.reader = released.initiator;
        window.colleague = released.colleague;
        window.openedAt = uint48(block.timestamp);
        window.late = true;
    }

    /// @dev Roles, terms, waiting times and revocations are not asked for: the signer's admin could alter each of them
    /// afterwards, and so keep the release from ever being filed. Member and person of an account never change.
    function _signer(
        address account,
        bytes32 digest,
        bytes calldata signature
    ) private view returns (uint32 memberId, bytes32 personId) {
        IMemberRegistry.Staff memory staff = MEMBERS.staffOf(account);
        if (staff.memberId == 0) revert StaffNeverKnown(account);
        (address signedBy, , ) = ECDSA.tryRecover(digest, signature);
        if (signedBy != account) revert Cosigners.CosignatureInvalid(account);
        return (staff.memberId, staff.personId);
    }

    function _structHashOf(LateRelease calldata released) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    EMERGENCY_RELEASE_TYPEHASH,
                    released.initiator,
                    released.colleague,
                    released.patientId,
                    released.reasonDigest,
                    released.nonce,
                    released.deadline
                )
            );
    }
}

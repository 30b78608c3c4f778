// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Emergencies} from "./emergency/Emergencies.sol";
import {EmergencyReviews} from "./emergency/EmergencyReviews.sol";
import {LateReleases} from "./emergency/LateReleases.sol";
import {Lookups} from "./emergency/Lookups.sol";
import {IBreakGlass} from "./interfaces/IBreakGlass.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {ConsentTerms, Terms} from "./libraries/ConsentTerms.sol";
import {Cosigner, Cosigners} from "./libraries/Cosigners.sol";
import {Purposes} from "./libraries/Purposes.sol";
import {Roles} from "./libraries/Roles.sol";
import {Suspension} from "./libraries/Suspension.sol";

/// @title BreakGlass
/// @dev Opening a window is here; how it is accounted for, what keeps a person from another, what is filed late, and
/// looking for a patient, is in emergency/.
contract BreakGlass is Lookups {
    bytes32 private constant EMERGENCY_TYPEHASH = keccak256(
        "Emergency(address initiator,bytes32 patientId,bytes32 reasonDigest,bytes32 nonce,uint48 deadline)"
    );

    /// @notice What a patient denies.
    IConsentRegistry public immutable CONSENTS;

    mapping(bytes32 structHash => bool) private _used;

    constructor(
        IMemberRegistry members,
        IPatientRegistry patients,
        IConsentRegistry consents,
        Limits memory given
    )
        EIP712("chartseal BreakGlass", "1")
        Emergencies(given)
        EmergencyReviews(members)
        LateReleases(patients)
    {
        CONSENTS = consents;
    }

    /// @inheritdoc IBreakGlass
    function breakGlass(
        bytes32 patientId,
        bytes32 reasonDigest,
        bytes32 nonce,
        Cosigner calldata colleague
    ) external returns (bytes32 windowId) {
        if (reasonDigest == 0) revert DigestZero();
        uint48 latest = uint48(block.timestamp) + LONGEST_SIGNED;
        if (colleague.deadline > latest) revert DeadlineTooFar(colleague.deadline, latest);
        bytes32 structHash = keccak256(
            abi.encode(EMERGENCY_TYPEHASH, msg.sender, patientId, reasonDigest, nonce, colleague.deadline)
        );
        if (_used[structHash]) revert SignatureUsed(nonce);
        Window memory window = _requirePair(_hashTypedDataV4(structHash), colleague);
        window.custodian = _requireOpenTo(patientId, window.memberId);
        window.patientId = patientId;
        Terms memory terms = _termsOf(patientId, window.memberId, structHash);
        windowId = ConsentTerms.hashOf(terms);

        _used[structHash] = true;
        _countPerson(window.readerPerson);
        _countPerson(window.colleaguePerson);
        _countMember(window.memberId);
        _windows[windowId] = window;
        _advance(
            GlassBroken.selector,
            windowId,
            patientId,
            msg.sender,
            keccak256(abi.encode(terms, colleague.account, reasonDigest))
        );

        emit GlassBroken(windowId, patientId, msg.sender, terms, colleague.account, reasonDigest);
    }

    /// @inheritdoc IBreakGlass
    function standingOf(
        bytes32 windowId,
        address reader
    ) external view returns (uint32 custodian, uint64 deniedCompartments) {
        Window storage window = _known(windowId);
        if (window.late) revert WindowIsLate(windowId);
        if (window.reader != reader) revert WindowOfAnother(windowId, reader);
        custodian = window.custodian;
        deniedCompartments = _requireLetIn(window.patientId);
    }

    function _requirePair(
        bytes32 digest,
        Cosigner calldata colleague
    ) private view returns (Window memory window) {
        (window.memberId, window.colleagueMember, window.readerPerson, window.colleaguePerson) = Cosigners
            .requireTwo(MEMBERS, colleague, digest, Roles.CLINICIAN, Suspension.READING);
        window.reader = msg.sender;
        window.colleague = colleague.account;
        window.openedAt = uint48(block.timestamp);
    }

    function _requireOpenTo(bytes32 patientId, uint32 memberId) private view returns (uint32 custodian) {
        custodian = PATIENT_REGISTRY.custodianOf(patientId);
        if (custodian == memberId) revert OwnPatient(patientId, memberId);
        if (PATIENT_REGISTRY.patientOf(patientId).condition == IPatientRegistry.Condition.DEAD) {
            revert PatientIsDead(patientId);
        }
        _requireLetIn(patientId);
    }

    function _requireLetIn(bytes32 patientId) private view returns (uint64 deniedCompartments) {
        IConsentRegistry.Directive memory directive = CONSENTS.directiveOf(patientId);
        if (directive.denyAll || directive.denyEmergency) revert EmergencyDenied(patientId);
        deniedCompartments = directive.deniedCompartments;
    }

    /// @dev What was signed salts the terms, so that no two windows have the same.
    function _termsOf(
        bytes32 patientId,
        uint32 memberId,
        bytes32 structHash
    ) private view returns (Terms memory) {
        uint48 openedAt = uint48(block.timestamp);
        return
            Terms({
                format: ConsentTerms.FORMAT,
                patientId: patientId,
                grantee: memberId,
                compartments: type(uint64).max,
                purposes: Purposes.EMERGENCY,
                notBefore: openedAt,
                notAfter: openedAt + _windowLength(),
                recordedFrom: 0,
                recordedTo: type(uint32).max,
                salt: structHash
            });
    }
}

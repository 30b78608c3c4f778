// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessLog} from "../../../contracts/interfaces/IAccessLog.sol";
import {IBreakGlass} from "../../../contracts/interfaces/IBreakGlass.sol";
import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {ILegalOrders} from "../../../contracts/interfaces/ILegalOrders.sol";
import {IMemberRegistry} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {IRecordRegistry} from "../../../contracts/interfaces/IRecordRegistry.sol";
import {ConsentTerms, Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {Entry, Leaf, Leaves} from "../../../contracts/libraries/Leaves.sol";
import {ReferenceTree} from "./ReferenceTree.sol";

/// @notice What the consortium should hold, kept a second time without the contracts' packing, hashing and
/// shortcuts, and the rules of each call. Numbers are written out on purpose: a contract that gives a role or a
/// flag another number must differ from this.
/// @dev A rule that is broken adds its error to `_faults`. A call must succeed if no rule is broken, and else
/// revert with one of the errors: which one comes first is the contract's own affair.
abstract contract ConsortiumModel {
    uint8 internal constant OPERATOR = 1;
    uint8 internal constant CLINICIAN = 2;
    uint8 internal constant READING = 1;
    uint8 internal constant WRITING = 2;
    uint8 internal constant SUPERSEDED = 1;
    uint8 internal constant RETRACTED = 2;
    uint8 internal constant HELD = 4;
    uint8 internal constant ERASED = 8;

    struct GhostMember {
        address admin;
        bool noReading;
        bool noWriting;
        bool removed;
        uint256 keyEpoch;
        uint256 head; // sum of the anchored counts
    }
    struct GhostStaff {
        uint32 memberId;
        uint8 roles;
        uint48 notAfter;
        uint48 revokedSince; // 0: not revoked
        uint256 since;
    }
    struct GhostPatient {
        uint32 custodian;
        bytes signer;
    }
    struct GhostGrant {
        uint32 custodian; // 0: not given
        bool revoked;
    }
    struct GhostDirective {
        bool denyAll;
        uint64 deniedCompartments;
        uint64 nonce;
    }
    struct GhostBatch {
        uint32 memberId;
        uint64 firstIndex;
        Leaf[] leaves;
    }

    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "Terms(uint16 format,bytes32 patientId,uint32 grantee,uint64 compartments,uint16 purposes,uint48 notBefore,uint48 notAfter,uint32 recordedFrom,uint32 recordedTo,bytes32 salt)"
    );

    /// @dev Unix seconds. Not `block.timestamp`: the optimizer takes that for constant within a call.
    uint256 internal _clock = 1_800_000_000;
    uint32 internal _memberCount;
    mapping(uint32 memberId => GhostMember member) internal _members;
    mapping(address account => GhostStaff staff) internal _staff;
    mapping(bytes32 patientId => GhostPatient patient) internal _patients;
    mapping(bytes32 signerHash => bool taken) internal _signersTaken;
    mapping(bytes32 patientId => mapping(bytes32 termsHash => GhostGrant)) internal _grants;
    mapping(bytes32 patientId => GhostDirective directive) internal _directives;
    GhostBatch[] internal _batches;
    mapping(uint32 memberId => mapping(uint64 index => uint256 batchNumber)) internal _batchOf; // from 1
    mapping(uint32 memberId => mapping(uint256 index => uint8 flags)) internal _status;

    bytes4[] internal _faults;

    function _rule(bool holds, bytes4 otherwise) internal {
        if (!holds) _faults.push(otherwise);
    }

    /// @dev `activity`: READING or WRITING.
    function _mayAct(address account, uint8 role, uint8 activity) internal view returns (bool) {
        GhostStaff storage staff = _staff[account];
        GhostMember storage member = _members[staff.memberId];
        return
            staff.memberId != 0 &&
            staff.revokedSince == 0 &&
            _clock <= staff.notAfter &&
            staff.roles & role == role &&
            !member.removed &&
            !(activity == READING ? member.noReading : member.noWriting);
    }

    function _staffRules(address account, uint8 role, uint8 activity) internal returns (uint32) {
        GhostStaff storage staff = _staff[account];
        GhostMember storage member = _members[staff.memberId];
        _rule(staff.memberId != 0, IMemberRegistry.StaffUnknown.selector);
        if (staff.memberId == 0) return 0;
        _rule(staff.revokedSince == 0, IMemberRegistry.StaffIsRevoked.selector);
        _rule(_clock <= staff.notAfter, IMemberRegistry.StaffExpired.selector);
        _rule(staff.roles & role == role, IMemberRegistry.StaffRoleMissing.selector);
        bool barred = member.removed || (activity == READING ? member.noReading : member.noWriting);
        _rule(!barred, IMemberRegistry.MemberSuspended.selector);
        return staff.memberId;
    }

    function _signatureRules(bytes32 patientId, bytes memory signedBy) internal returns (uint32 custodian) {
        GhostPatient storage patient = _patients[patientId];
        custodian = patient.custodian;
        _rule(custodian != 0, IPatientRegistry.PatientUnknown.selector);
        if (custodian == 0) return 0;
        _rule(patient.signer.length != 0, IPatientRegistry.PatientHasNoSigner.selector);
        _rule(
            signedBy.length != 0 && keccak256(signedBy) == keccak256(patient.signer),
            IPatientRegistry.SignatureInvalid.selector
        );
    }

    function _grantRules(Terms memory terms) internal {
        GhostGrant storage given = _grants[terms.patientId][_hashOf(terms)];
        _rule(terms.format == 1, ConsentTerms.TermsFormatUnsupported.selector);
        bool future = terms.notBefore <= terms.notAfter && _clock <= terms.notAfter;
        _rule(future, ConsentTerms.TermsPeriodInvalid.selector);
        _rule(terms.recordedFrom <= terms.recordedTo, ConsentTerms.TermsRecordedPeriodInvalid.selector);
        _rule(terms.compartments != 0, ConsentTerms.TermsCompartmentsEmpty.selector);
        // TREAT to PUBHLTH.
        _rule(terms.purposes >= 1 && terms.purposes <= 127, ConsentTerms.TermsPurposesInvalid.selector);
        bool member = terms.grantee >= 1 && terms.grantee <= _memberCount;
        _rule(member, IMemberRegistry.MemberUnknown.selector);
        _rule(!given.revoked, IConsentRegistry.TermsRevoked.selector);
        _rule(given.custodian == 0, IConsentRegistry.TermsAlreadyGranted.selector);
    }

    /// @dev Reader, terms, grant and directive: what both requests ask.
    function _readRules(
        address reader,
        Terms memory terms,
        uint8 purpose
    ) internal returns (uint64 permitted) {
        uint32 memberId = _staffRules(reader, CLINICIAN, READING);
        _rule(terms.grantee == memberId, ConsentTerms.GranteeMismatch.selector);
        bool named = purpose < 16 && terms.purposes & (uint256(1) << purpose) != 0;
        _rule(named, ConsentTerms.PurposeNotGranted.selector);
        _rule(_clock >= terms.notBefore, ConsentTerms.GrantNotYetValid.selector);
        _rule(_clock <= terms.notAfter, ConsentTerms.GrantExpired.selector);
        if (purpose >= 8 && named) {
            // Beyond consent: nothing of that kind stands yet.
            _rule(
                false,
                purpose == 8 ? ILegalOrders.OrderUnknown.selector : IBreakGlass.WindowUnknown.selector
            );
            return terms.compartments;
        }
        GhostGrant storage given = _grants[terms.patientId][_hashOf(terms)];
        _rule(!given.revoked, IConsentRegistry.TermsRevoked.selector);
        _rule(given.custodian != 0, IConsentRegistry.GrantUnknown.selector);
        GhostDirective storage directive = _directives[terms.patientId];
        _rule(!directive.denyAll, IConsentRegistry.DirectiveDeniesAll.selector);
        return terms.compartments & (type(uint64).max ^ directive.deniedCompartments);
    }

    function _entryRules(Entry memory entry, Terms memory terms, uint64 permitted) internal {
        Leaf memory leaf = entry.leaf;
        uint32 custodian = _grants[terms.patientId][_hashOf(terms)].custodian;
        _rule(leaf.memberId == custodian, IAccessLog.LeafOfAnotherMember.selector);
        _rule(leaf.patientId == terms.patientId, IAccessLog.LeafOfAnotherPatient.selector);
        _rule(leaf.kind == 0, IAccessLog.KindNotReadable.selector);
        bool inCompartment = leaf.compartment < 64 && permitted & (uint256(1) << leaf.compartment) != 0;
        _rule(inCompartment, IAccessLog.CompartmentNotPermitted.selector);
        bool inPeriod = terms.recordedFrom <= leaf.recordedDay && leaf.recordedDay <= terms.recordedTo;
        _rule(inPeriod, IAccessLog.DayNotGranted.selector);
        _rule(_status[custodian][leaf.index] & (RETRACTED | ERASED) == 0, IAccessLog.EntryWithdrawn.selector);
        _anchorRules(entry, custodian);
    }

    function _scopeRules(IAccessLog.Scope memory scope, Terms memory terms, uint64 permitted) internal {
        bool within = scope.compartments != 0 && scope.compartments | permitted == permitted;
        _rule(within, IAccessLog.CompartmentsNotPermitted.selector);
        bool inPeriod =
            terms.recordedFrom <= scope.recordedFrom &&
                scope.recordedFrom <= scope.recordedTo &&
                scope.recordedTo <= terms.recordedTo;
        _rule(inPeriod, IAccessLog.PeriodNotGranted.selector);
        uint32 custodian = _grants[terms.patientId][_hashOf(terms)].custodian;
        _rule(scope.upTo <= _members[custodian].head, IAccessLog.BeyondHead.selector);
    }

    /// @dev Anchored exactly as given, in the log of `memberId`: the model knows what it anchored.
    function _anchorRules(Entry memory entry, uint32 memberId) internal {
        Leaf memory leaf = entry.leaf;
        (bool known, bool over) = _batchReaches(entry, memberId);
        _rule(known, IRecordRegistry.BatchUnknown.selector);
        _rule(over, IRecordRegistry.IndexOutsideBatch.selector);
        _rule(leaf.format == 1, Leaves.LeafFormatUnsupported.selector);
        if (!known || !over) return;
        Entry memory genuine = _entryOf(memberId, leaf.index);
        _rule(
            keccak256(abi.encode(leaf)) == keccak256(abi.encode(genuine.leaf)) &&
                keccak256(abi.encode(entry.proof)) == keccak256(abi.encode(genuine.proof)),
            Leaves.ProofInvalid.selector
        );
    }

    function _batchReaches(
        Entry memory entry,
        uint32 memberId
    ) internal view returns (bool known, bool over) {
        uint256 number = _batchOf[memberId][entry.firstIndex];
        known =
            number != 0 &&
            _batches[number - 1].firstIndex == entry.firstIndex &&
            _batches[number - 1].leaves.length == entry.count;
        over =
            entry.leaf.index >= entry.firstIndex &&
            entry.leaf.index < uint256(entry.firstIndex) + entry.count;
    }

    /// @dev Of an anchored index.
    function _entryOf(uint32 memberId, uint64 index) internal view returns (Entry memory) {
        GhostBatch storage batch = _batches[_batchOf[memberId][index] - 1];
        uint256 position = index - batch.firstIndex;
        bytes32[] memory hashes = _leafHashes(batch.leaves);
        bytes32[] memory proof = ReferenceTree.path(position, hashes, 0, hashes.length);
        return Entry(batch.leaves[position], batch.firstIndex, uint32(hashes.length), proof);
    }

    function _leafHashes(Leaf[] memory leaves) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            hashes[i] = sha256(abi.encodePacked(bytes1(0x00), abi.encode(leaves[i])));
        }
    }

    function _hashOf(Terms memory terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(TERMS_TYPEHASH, terms));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {IMemberRegistry} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {IRecordRegistry} from "../../../contracts/interfaces/IRecordRegistry.sol";
import {ConsentTerms, Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {Cosigner, Cosigners} from "../../../contracts/libraries/Cosigners.sol";
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
    uint8 internal constant REVIEWER = 4;
    uint8 internal constant RELEASER = 8;
    uint8 internal constant ANY_ROLE = 15;
    uint8 internal constant READING = 1;
    uint8 internal constant WRITING = 2;
    uint8 internal constant REMOVED = 4;
    uint8 internal constant SUPERSEDED = 1;
    uint8 internal constant RETRACTED = 2;
    uint8 internal constant HELD = 4;
    uint8 internal constant ERASED = 8;
    uint8 internal constant BY_PATIENT = 1;
    uint8 internal constant BY_GUARDIANS = 2;
    uint8 internal constant BY_WITNESSES = 3;
    uint8 internal constant BY_DELEGATE = 4;

    struct GhostMember {
        address admin;
        bool noReading;
        bool noWriting;
        bool removed;
        uint256 keyEpoch;
        bool keyStands; // published, and not withdrawn
        uint256 head; // sum of the anchored counts
    }
    struct GhostStaff {
        uint32 memberId;
        uint8 roles;
        uint48 notAfter;
        uint48 revokedSince; // 0: not revoked
        uint256 since;
        bytes32 personId;
    }
    struct GhostPatient {
        uint32 custodian;
        bytes signer;
        uint8 condition; // 0: acts for himself, 1: incapable, 2: dead
        uint256 loosensFrom;
        bytes[] guardians;
        uint8 threshold; // 0: no guardians
        uint256 guardiansUntil;
        uint32 nonce;
    }
    /// @dev What was signed for a patient, and by whom.
    struct Signed {
        bytes signature;
        bytes by; // nobody, if anything about the signature is wrong
        bytes[] guardians; // who are said to have signed, where guardians sign
        bool allSigned; // each of them, and none twice
    }
    struct GhostGrant {
        uint32 custodian; // 0: not given
        bool revoked;
        uint8 givenBy; // 0: not given
        uint256 givenUntil; // its giver's own time, which it must not outlast
    }
    struct GhostDirective {
        bool denyAll;
        bool denyEmergency;
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
    mapping(bytes32 patientId => mapping(bytes32 termsHash => GhostGrant)) internal _grants;
    mapping(bytes32 patientId => GhostDirective directive) internal _directives;
    GhostBatch[] internal _batches;
    mapping(uint32 memberId => mapping(uint64 index => uint256 batchNumber)) internal _batchOf; // from 1
    mapping(uint32 memberId => mapping(uint256 index => uint8 flags)) internal _status;

    bytes4[] internal _faults;

    function _rule(bool holds, bytes4 otherwise) internal {
        if (!holds) _faults.push(otherwise);
    }

    /// @dev `role`: one bit, or several of which one is enough.
    function _mayAct(address account, uint8 role, uint8 activity) internal view returns (bool) {
        GhostStaff storage staff = _staff[account];
        return
            staff.memberId != 0 &&
            staff.revokedSince == 0 &&
            _clock <= staff.notAfter &&
            staff.roles & role != 0 &&
            !_barred(_members[staff.memberId], activity);
    }

    function _mayCount(address account, uint8 role, uint8 activity) internal view returns (bool) {
        return _mayAct(account, role, activity) && _clock >= _staff[account].since + 1 hours;
    }

    function _staffRules(address account, uint8 role, uint8 activity) internal returns (uint32) {
        GhostStaff storage staff = _staff[account];
        _rule(staff.memberId != 0, IMemberRegistry.StaffUnknown.selector);
        if (staff.memberId == 0) return 0;
        _rule(staff.revokedSince == 0, IMemberRegistry.StaffIsRevoked.selector);
        _rule(_clock <= staff.notAfter, IMemberRegistry.StaffExpired.selector);
        _rule(staff.roles & role != 0, IMemberRegistry.StaffRoleMissing.selector);
        bool barred = _barred(_members[staff.memberId], activity);
        _rule(!barred, IMemberRegistry.MemberSuspended.selector);
        return staff.memberId;
    }

    /// @dev As above, for acts that need two persons: who is new, or was given the role just now, does not count.
    function _seasonedRules(address account, uint8 role, uint8 activity) internal returns (uint32 memberId) {
        memberId = _staffRules(account, role, activity);
        bool seasoned = memberId == 0 || _clock >= _staff[account].since + 1 hours;
        _rule(seasoned, IMemberRegistry.StaffTooNew.selector);
    }

    function _secondRules(
        Cosigner memory second,
        bytes memory signedBy,
        uint8 role,
        uint8 activity
    ) internal returns (uint32 memberId) {
        _rule(_clock <= second.deadline, Cosigners.CosignatureExpired.selector);
        memberId = _seasonedRules(second.account, role, activity);
        bool signed = keccak256(signedBy) == keccak256(abi.encodePacked(second.account));
        _rule(signed, Cosigners.CosignatureInvalid.selector);
    }

    function _pairRules(
        address from,
        Cosigner memory second,
        bytes memory signedBy,
        uint8 role,
        uint8 activity
    ) internal returns (uint32 firstMember, uint32 secondMember) {
        firstMember = _seasonedRules(from, role, activity);
        secondMember = _secondRules(second, signedBy, role, activity);
        bool two = _staff[from].personId != _staff[second.account].personId;
        _rule(two, Cosigners.SamePerson.selector);
    }

    function _barred(GhostMember storage member, uint8 activity) internal view returns (bool) {
        if (activity == READING && member.noReading) return true;
        return member.removed || (activity == WRITING && member.noWriting);
    }

    /// @dev Of whoever signs for the patient.
    function _signatureRules(bytes32 patientId, Signed memory signed) internal returns (uint32 custodian) {
        GhostPatient storage patient = _patients[patientId];
        custodian = patient.custodian;
        _rule(custodian != 0, IPatientRegistry.PatientUnknown.selector);
        if (custodian == 0) return 0;
        if (_guardiansSignFor(patient)) {
            _guardianRules(patient, signed);
            return custodian;
        }
        bool right = keccak256(signed.by) == keccak256(patient.signer);
        _rule(right, IPatientRegistry.SignatureInvalid.selector);
    }

    function _guardiansSignFor(GhostPatient storage patient) internal view returns (bool) {
        return patient.condition != 0 || patient.signer.length == 0;
    }

    function _guardianRules(GhostPatient storage patient, Signed memory signed) internal {
        _rule(patient.threshold != 0, IPatientRegistry.PatientHasNoSigner.selector);
        _rule(_clock <= patient.guardiansUntil, IPatientRegistry.GuardiansExpired.selector);
        uint256 count = signed.guardians.length;
        _rule(count != 0, bytes4(0)); // one signature is no list of guardians: it cannot even be decoded
        _rule(count >= patient.threshold, IPatientRegistry.GuardiansTooFew.selector);
        for (uint256 i = 0; i < count; ++i) {
            bool present = _isGuardian(patient, signed.guardians[i]);
            _rule(present, IPatientRegistry.NotGuardian.selector);
        }
        _rule(signed.allSigned, IPatientRegistry.SignatureInvalid.selector);
    }

    function _isGuardian(GhostPatient storage patient, bytes memory key) internal view returns (bool) {
        for (uint256 i = 0; i < patient.guardians.length; ++i) {
            if (keccak256(patient.guardians[i]) == keccak256(key)) return true;
        }
        return false;
    }

    /// @dev What lets others see more must wait after a key was taken over.
    function _looseningRules(bytes32 patientId) internal {
        bool calm = _clock >= _patients[patientId].loosensFrom;
        _rule(calm, IPatientRegistry.LoosensLater.selector);
    }

    function _grantRules(Terms memory terms) internal {
        _termsRules(terms);
        // TREAT to PUBHLTH.
        _rule(terms.purposes >= 1 && terms.purposes <= 127, ConsentTerms.TermsPurposesInvalid.selector);
        GhostGrant storage given = _grants[terms.patientId][_hashOf(terms)];
        _rule(!given.revoked, IConsentRegistry.TermsRevoked.selector);
        _rule(given.custodian == 0, IConsentRegistry.TermsAlreadyGranted.selector);
    }

    function _termsRules(Terms memory terms) internal {
        _rule(terms.format == 1, ConsentTerms.TermsFormatUnsupported.selector);
        bool future = terms.notBefore <= terms.notAfter && _clock <= terms.notAfter;
        _rule(future, ConsentTerms.TermsPeriodInvalid.selector);
        _rule(terms.recordedFrom <= terms.recordedTo, ConsentTerms.TermsRecordedPeriodInvalid.selector);
        _rule(terms.compartments != 0, ConsentTerms.TermsCompartmentsEmpty.selector);
        bool member = terms.grantee >= 1 && terms.grantee <= _memberCount;
        _rule(member, IMemberRegistry.MemberUnknown.selector);
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

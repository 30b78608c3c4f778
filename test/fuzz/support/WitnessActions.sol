// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {Cosigner, Cosigners} from "../../../contracts/libraries/Cosigners.sol";
import {Entry} from "../../../contracts/libraries/Leaves.sol";
import {ErasureActions} from "./ErasureActions.sol";

/// @notice Two of the custodian's staff attest what a patient wants on paper.
abstract contract WitnessActions is ErasureActions {
    uint8 private constant CONSENT_DOCUMENT = 1;
    uint8 private constant GRANT = 0;
    uint8 private constant REVOCATION = 1;
    uint8 private constant DENIAL = 2;
    bytes32 private constant TYPEHASH = keccak256(
        "Witnessing(uint8 act,bytes32 patientId,bytes32 ref,address first,uint48 deadline)"
    );

    struct Witnessing {
        address from;
        Entry document;
        Cosigner second;
    }

    mapping(uint32 memberId => mapping(uint64 index => bool)) private _documentsUsed;
    Entry private _newestDocument;

    function grantWitnessed(uint256 seed) public action(seed) {
        Terms memory terms = _termsToTry();
        if (!_onceIn(4)) terms = _termsOfUnable(terms);
        bytes32 termsHash = _hashOf(terms);
        Witnessing memory paper = _witness(GRANT, terms.patientId, termsHash);
        GhostPatient storage patient = _patients[terms.patientId];
        bool guarded = patient.threshold != 0 && _clock <= patient.guardiansUntil;
        bool unable = patient.signer.length == 0 && !guarded;
        _rule(patient.condition != 2, IPatientRegistry.PatientIsDead.selector);
        _rule(unable, IPatientRegistry.PatientCanSign.selector);
        _grantRules(terms);
        _looseningRules(terms.patientId);

        bytes memory call = abi.encodeCall(CONSENTS.grantWitnessed, (terms, paper.document, paper.second));
        if (!_attempt(paper.from, address(CONSENTS), call)) return;
        _use(paper.document);
        _give(terms, BY_WITNESSES, type(uint256).max);
    }

    function revokeWitnessed(uint256 seed) public action(seed) {
        if (_onceIn(2)) return;
        Terms memory terms = _termsToTry();
        (bytes32 patientId, bytes32 termsHash) = (terms.patientId, _hashOf(terms));
        if (_onceIn(3)) (patientId, termsHash) = (_newestDocument.leaf.patientId, _newestDocument.leaf.ref);
        Witnessing memory paper = _witness(REVOCATION, patientId, termsHash);

        bytes memory call = abi.encodeCall(
            CONSENTS.revokeWitnessed,
            (patientId, termsHash, paper.document, paper.second)
        );
        if (!_attempt(paper.from, address(CONSENTS), call)) return;
        _use(paper.document);
        _grants[patientId][termsHash].revoked = true;
    }

    function denyWitnessed(uint256 seed) public action(seed) {
        if (_onceIn(2)) return;
        bytes32 patientId = _somePatient(0);
        GhostDirective storage directive = _directives[patientId];
        GhostDirective memory next = GhostDirective(
            _onceIn(4) ? _onceIn(2) : directive.denyAll,
            _onceIn(4) ? _onceIn(2) : directive.denyEmergency,
            _onceIn(3) ? uint64(_draw(16)) : directive.deniedCompartments | uint64(_draw(2)),
            directive.nonce + 1
        );
        uint64 nonce = _onceIn(10) ? directive.nonce ^ 1 : directive.nonce;
        bytes32 ref = keccak256(abi.encode(next.denyAll, next.denyEmergency, next.deniedCompartments, nonce));
        Witnessing memory paper = _witness(DENIAL, patientId, ref);
        _rule(nonce == directive.nonce, IConsentRegistry.DocumentMismatch.selector);
        if (nonce != directive.nonce) _faults.push(Cosigners.CosignatureInvalid.selector);
        bool drops =
            (directive.denyAll && !next.denyAll) ||
                (directive.denyEmergency && !next.denyEmergency) ||
                directive.deniedCompartments | next.deniedCompartments != next.deniedCompartments;
        _rule(!drops, IConsentRegistry.WitnessesOnlyTighten.selector);

        bytes memory call = abi.encodeCall(
            CONSENTS.denyWitnessed,
            (
                patientId,
                next.denyAll,
                next.denyEmergency,
                next.deniedCompartments,
                paper.document,
                paper.second
            )
        );
        if (!_attempt(paper.from, address(CONSENTS), call)) return;
        _use(paper.document);
        _directives[patientId] = next;
    }

    /// @dev Two of the custodian's, a document, and what is broken about them.
    function _witness(uint8 act, bytes32 patientId, bytes32 ref) private returns (Witnessing memory paper) {
        uint32 custodian = _patients[patientId].custodian;
        bool again = _newestDocument.leaf.ref == ref || _onceIn(16);
        paper.document =
            again && _draw(2) == 0 ? _newestDocument : _document(CONSENT_DOCUMENT, patientId, ref);
        address first = _seasonedFor(custodian, 0, ANY_ROLE, REMOVED);
        address account = _seasonedFor(_onceIn(10) ? 0 : custodian, 0, ANY_ROLE, REMOVED);
        for (uint256 i = 0; i < 3 && _staff[account].personId == _staff[first].personId; ++i) {
            account = _seasonedFor(custodian, 0, ANY_ROLE, REMOVED);
        }
        uint48 deadline = _someDeadline();
        uint8 signedAct = _onceIn(12) ? uint8(_draw(3)) : act;
        bytes memory by;
        (paper.second, by) = _cosign(
            account,
            deadline,
            address(CONSENTS),
            CONSENTS_DOMAIN,
            keccak256(abi.encode(TYPEHASH, signedAct, patientId, ref, first, deadline))
        );
        paper.from = _onceIn(12) ? _anyone() : first;
        if (paper.from != first || signedAct != act) by = "";
        _rule(custodian != 0, IPatientRegistry.PatientUnknown.selector);
        (uint32 mine, uint32 other) = _pairRules(paper.from, paper.second, by, ANY_ROLE, REMOVED);
        _rule(mine == custodian && other == custodian, IConsentRegistry.NotOfCustodian.selector);
        bytes4 mismatch = IConsentRegistry.DocumentMismatch.selector;
        _documentRules(paper.document, CONSENT_DOCUMENT, patientId, ref, mismatch);
        bool fresh = !_documentsUsed[paper.document.leaf.memberId][paper.document.leaf.index];
        _rule(fresh, IConsentRegistry.DocumentUsed.selector);
    }

    function _use(Entry memory document) private {
        _documentsUsed[document.leaf.memberId][document.leaf.index] = true;
        _newestDocument = document;
    }

    /// @dev The same terms for a patient who cannot sign, if there is one.
    function _termsOfUnable(Terms memory terms) private returns (Terms memory) {
        for (uint256 i = 0; i < 12; ++i) {
            bytes32 patientId = _somePatient(0);
            GhostPatient storage patient = _patients[patientId];
            if (patient.custodian == 0 || patient.signer.length != 0 || patient.threshold != 0) continue;
            if (patientId == terms.patientId) return terms;
            terms.patientId = patientId;
            terms.salt = bytes32(_draw(type(uint256).max));
            _terms.push(terms);
            break;
        }
        return terms;
    }
}

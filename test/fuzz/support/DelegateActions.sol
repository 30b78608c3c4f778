// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {check} from "./Check.sol";
import {ConsentActions} from "./ConsentActions.sol";

/// @notice Delegates grant and revoke for their patients, while their time lasts and after it.
abstract contract DelegateActions is ConsentActions {
    function grantByDelegate(uint256 seed) public action(seed) {
        (bytes32 patientId, bytes memory key) = _someDelegation();
        uint256 until = _delegateUntil[patientId][keccak256(key)];
        Terms memory terms = _termsOf(patientId, until);
        patientId = terms.patientId;
        until = _delegateUntil[patientId][keccak256(key)];
        (bytes memory signature, bytes memory by) = _signAsDelegate(key, _hashOf(terms));
        _grantRules(terms);
        _looseningRules(patientId);
        _delegateRules(patientId, key, by);
        _rule(terms.notAfter <= until, IConsentRegistry.GrantOutlasts.selector);

        bytes memory call = abi.encodeCall(CONSENTS.grantByDelegate, (terms, key, signature));
        if (_attempt(_anyone(), address(CONSENTS), call)) _give(terms, BY_DELEGATE, until);
    }

    function revokeByDelegate(uint256 seed) public action(seed) {
        // Half as often as chance would have it, so that there is something left to read.
        if (_onceIn(2)) return;
        (bytes32 patientId, bytes memory key) = _someDelegation();
        bytes32 termsHash = _hashOf(_termsAbout(patientId));
        (bytes memory signature, bytes memory by) = _signAsDelegate(
            key,
            keccak256(
                abi.encode(keccak256("Revocation(bytes32 patientId,bytes32 termsHash)"), patientId, termsHash)
            )
        );
        _delegateRules(patientId, key, by);
        uint256 head = CONSENTS.headOf(patientId);
        bool before = _grants[patientId][termsHash].revoked;

        bytes memory call = abi.encodeCall(CONSENTS.revokeByDelegate, (patientId, termsHash, key, signature));
        if (_attempt(_anyone(), address(CONSENTS), call)) {
            _grants[patientId][termsHash].revoked = true;
            check((CONSENTS.headOf(patientId) == head) == before, "revokeByDelegate: a repeat does nothing");
        }
    }

    function _delegateRules(bytes32 patientId, bytes memory key, bytes memory by) private {
        GhostPatient storage patient = _patients[patientId];
        _rule(patient.custodian != 0, IPatientRegistry.PatientUnknown.selector);
        _rule(patient.condition != 2, IPatientRegistry.PatientIsDead.selector);
        bool lasts = _clock <= _delegateUntil[patientId][keccak256(key)];
        _rule(lasts, IPatientRegistry.NotDelegate.selector);
        _rule(keccak256(by) == keccak256(key), IPatientRegistry.SignatureInvalid.selector);
    }

    function _signAsDelegate(
        bytes memory key,
        bytes32 structHash
    ) private returns (bytes memory signature, bytes memory by) {
        uint256 privateKey = _keyOfSigner[keccak256(key)];
        return
            _sign(
                privateKey == 0 ? _patientKey(0) : privateKey,
                address(CONSENTS),
                CONSENTS_DOMAIN,
                structHash
            );
    }

    /// @dev Mostly one that lasts, at times in its very last second or the one after; sometimes another's delegate.
    function _someDelegation() private returns (bytes32 patientId, bytes memory key) {
        for (uint256 i = 0; i < 12; ++i) {
            patientId = _somePatient(0);
            uint256 count = _delegates[patientId].length;
            if (count == 0) continue;
            key = _delegates[patientId][_draw(count)];
            if (_clock <= _delegateUntil[patientId][keccak256(key)] || _onceIn(8)) break;
        }
        uint256 until = _delegateUntil[patientId][keccak256(key)];
        if (until < _clock + 20 days && _onceIn(6)) _passTo(until + _draw(2));
        if (_onceIn(12)) patientId = _somePatient(0);
    }

    /// @dev Mostly new ones of that patient, which end in time, or one second later.
    function _termsOf(bytes32 patientId, uint256 until) private returns (Terms memory terms) {
        terms = _termsToTry();
        if (_onceIn(8)) return terms;
        terms.patientId = patientId;
        terms.salt = bytes32(_draw(type(uint256).max));
        if (terms.notAfter > until) terms.notAfter = uint48(_onceIn(6) ? until + 1 : until);
        _terms.push(terms);
    }

    /// @dev Mostly of that patient, given by anyone.
    function _termsAbout(bytes32 patientId) private returns (Terms memory) {
        uint256 from = _draw(_terms.length);
        for (uint256 i = 0; i < _terms.length; ++i) {
            Terms storage terms = _terms[(from + i) % _terms.length];
            if (terms.patientId == patientId) return terms;
        }
        return _terms[from];
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {check} from "./Check.sol";
import {RecordActions} from "./RecordActions.sol";

/// @notice Patients grant, revoke and deny, anyone relays, time passes.
abstract contract ConsentActions is RecordActions {
    uint256 private constant MOST_TERMS = 40;
    string internal constant CONSENTS_DOMAIN = "chartseal ConsentRegistry";

    /// @dev Every terms that anyone tried to grant or revoke.
    Terms[] internal _terms;

    /// @dev Hours mostly, weeks at times, or to the very second in which terms end, or to the next.
    function wait(uint256 seed) public action(seed) {
        uint256 next = _clock + (_onceIn(8) ? _draw(40 days) : _draw(12 hours));
        if (_onceIn(3)) {
            uint256 end = _terms[_draw(_terms.length)].notAfter + _draw(2);
            if (end > _clock && end < _clock + 60 days) next = end;
        }
        _clock = next;
    }

    function grant(uint256 seed) public action(seed) {
        Terms memory terms = _termsToTry();
        bytes32 termsHash = _hashOf(terms);
        Signed memory signed = _signFor(terms.patientId, address(CONSENTS), CONSENTS_DOMAIN, termsHash);
        _grantRules(terms);
        _looseningRules(terms.patientId);
        _signatureRules(terms.patientId, signed);
        GhostPatient storage patient = _patients[terms.patientId];
        bool within = !_guardiansSignFor(patient) || terms.notAfter <= patient.guardiansUntil;
        _rule(within, IConsentRegistry.GrantOutlasts.selector);

        if (
            _attempt(_anyone(), address(CONSENTS), abi.encodeCall(CONSENTS.grant, (terms, signed.signature)))
        ) {
            bool proxies = _guardiansSignFor(patient);
            uint256 until = proxies ? patient.guardiansUntil : type(uint256).max;
            _give(terms, proxies ? BY_GUARDIANS : BY_PATIENT, until);
        }
    }

    function revoke(uint256 seed) public action(seed) {
        // Half as often as chance would have it, so that there is something left to read.
        if (_onceIn(2)) return;
        Terms memory terms = _termsToTry();
        bytes32 termsHash = _hashOf(terms);
        bytes32 patientId = _onceIn(12) ? _somePatient(0) : terms.patientId;
        Signed memory signed = _signFor(
            terms.patientId,
            address(CONSENTS),
            CONSENTS_DOMAIN,
            keccak256(
                abi.encode(keccak256("Revocation(bytes32 patientId,bytes32 termsHash)"), patientId, termsHash)
            )
        );
        _signatureRules(patientId, signed);
        uint256 head = CONSENTS.headOf(patientId);
        bool before = _grants[patientId][termsHash].revoked;

        bytes memory call = abi.encodeCall(CONSENTS.revoke, (patientId, termsHash, signed.signature));
        if (_attempt(_anyone(), address(CONSENTS), call)) {
            _grants[patientId][termsHash].revoked = true;
            check((CONSENTS.headOf(patientId) == head) == before, "revoke: a repeat does nothing");
        }
    }

    function setDirective(uint256 seed) public action(seed) {
        bytes32 patientId = _somePatient(0);
        GhostDirective storage directive = _directives[patientId];
        bool denyAll = _onceIn(8);
        bool denyEmergency = _onceIn(5);
        uint64 denied = _onceIn(3) ? uint64(_draw(16)) : 0;
        uint48 deadline = uint48(_onceIn(8) ? _clock - 1 : _clock + _draw(2));
        // A replay of the one before, or one kept for later.
        uint64 nonce = _onceIn(6) ? directive.nonce ^ 1 : directive.nonce;
        Signed memory signed = _signFor(
            patientId,
            address(CONSENTS),
            CONSENTS_DOMAIN,
            keccak256(
                abi.encode(
                    keccak256(
                        "Directive(bytes32 patientId,bool denyAll,bool denyEmergency,uint64 deniedCompartments,uint64 nonce,uint48 deadline)"
                    ),
                    patientId,
                    denyAll,
                    denyEmergency,
                    denied,
                    nonce,
                    deadline
                )
            )
        );
        _rule(_clock <= deadline, IConsentRegistry.DeadlinePassed.selector);
        if (nonce != directive.nonce) (signed.by, signed.allSigned) = ("", false);
        _signatureRules(patientId, signed);
        bool drops =
            (directive.denyAll && !denyAll) ||
                (directive.denyEmergency && !denyEmergency) ||
                directive.deniedCompartments | denied != denied;
        if (drops) _looseningRules(patientId);

        bytes memory call = abi.encodeCall(
            CONSENTS.setDirective,
            (patientId, denyAll, denyEmergency, denied, deadline, signed.signature)
        );
        if (_attempt(_anyone(), address(CONSENTS), call)) {
            _directives[patientId] = GhostDirective(denyAll, denyEmergency, denied, directive.nonce + 1);
        }
    }

    function _give(Terms memory terms, uint8 givenBy, uint256 givenUntil) internal {
        GhostGrant storage given = _grants[terms.patientId][_hashOf(terms)];
        given.custodian = _patients[terms.patientId].custodian;
        (given.givenBy, given.givenUntil) = (givenBy, givenUntil);
    }

    /// @dev Ones that were seen before, or new ones, which are kept.
    function _termsToTry() internal returns (Terms memory terms) {
        if (_terms.length >= MOST_TERMS || (_terms.length != 0 && _onceIn(3))) {
            return _terms[_draw(_terms.length)];
        }
        terms = _newTerms();
        _terms.push(terms);
    }

    function _newTerms() private returns (Terms memory terms) {
        bool plain = !_onceIn(4);
        terms.format = plain || !_onceIn(6) ? 1 : uint16(_draw(3));
        terms.patientId = _somePatient(0);
        terms.grantee = _anyMember();
        terms.compartments =
            plain
                ? uint64(_draw(15) + 1)
                : _onceIn(3)
                    ? 0
                    : uint64(type(uint256).max << _draw(64));
        terms.purposes = uint16(plain ? 1 + _draw(127) : _draw(2 ** (1 + _draw(16))));
        terms.notBefore = uint48(plain ? _clock : _clock + _draw(4 days) - 2 days);
        terms.notAfter = uint48(terms.notBefore + _draw(plain ? 400 days : 20 days));
        if (!plain && _onceIn(6)) terms.notAfter = uint48(_clock - _draw(2 days));
        uint256 end = _patients[terms.patientId].guardiansUntil;
        if (plain && terms.notAfter > end && end > terms.notBefore) terms.notAfter = uint48(end);
        terms.recordedFrom = uint32(100 + _draw(plain ? 3 : 8));
        terms.recordedTo = uint32(plain ? 104 + _draw(4) : 100 + _draw(8));
        terms.salt = bytes32(_draw(type(uint256).max));
    }
}

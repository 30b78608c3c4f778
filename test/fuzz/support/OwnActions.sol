// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessLog} from "../../../contracts/interfaces/IAccessLog.sol";
import {AccessActions} from "./AccessActions.sol";
import {check} from "./Check.sol";

/// @notice Patients ask for their own records.
abstract contract OwnActions is AccessActions {
    bytes32 private constant TYPEHASH = keccak256(
        "OwnRequest(bytes32 patientId,uint8 extent,uint64 compartments,uint32 recordedFrom,uint32 recordedTo,uint64 upTo,bytes32 recipientKey,uint64 nonce,uint48 deadline)"
    );
    uint8 private constant PATRQT = 7;

    mapping(bytes32 patientId => uint64 nonce) private _ownNonces;

    function requestOwn(uint256 seed) public action(seed) {
        bytes32 patientId = _somePatient(0);
        IAccessLog.Scope memory scope = _ownScope(patientId);
        uint8 extent = uint8(_draw(2));
        bytes32 recipientKey = bytes32(_onceIn(12) ? 0 : seed | 1);
        uint48 deadline = _someDeadline();
        uint64 nonce = _onceIn(10) ? _ownNonces[patientId] ^ 1 : _ownNonces[patientId];
        bytes memory what = abi.encode(
            TYPEHASH,
            patientId,
            extent,
            scope.compartments,
            scope.recordedFrom,
            scope.recordedTo,
            scope.upTo
        );
        Signed memory signed = _signFor(
            patientId,
            address(ACCESS_LOG),
            "chartseal AccessLog",
            keccak256(bytes.concat(what, abi.encode(recipientKey, nonce, deadline)))
        );
        if (nonce != _ownNonces[patientId]) (signed.by, signed.allSigned) = ("", false);
        _rule(_clock <= deadline, IAccessLog.DeadlinePassed.selector);
        _rule(recipientKey != 0, IAccessLog.RecipientKeyZero.selector);
        _rule(scope.compartments != 0, IAccessLog.CompartmentsNotPermitted.selector);
        _rule(scope.recordedFrom <= scope.recordedTo, IAccessLog.PeriodNotGranted.selector);
        _looseningRules(patientId);
        uint32 custodian = _signatureRules(patientId, signed);
        _rule(scope.upTo <= _members[custodian].head, IAccessLog.BeyondHead.selector);

        IAccessLog.Extent meant = IAccessLog.Extent(extent);
        bytes memory call = abi.encodeCall(
            ACCESS_LOG.requestOwn,
            (patientId, meant, scope, recipientKey, deadline, signed.signature)
        );
        if (!_attempt(_anyone(), address(ACCESS_LOG), call)) return;
        ++_ownNonces[patientId];
        IAccessLog.Access memory access = IAccessLog.Access(
            0,
            IAccessLog.Basis.PATIENT,
            recipientKey,
            PATRQT,
            uint48(_clock)
        );
        _checkEvent(IAccessLog.ScopeRequested.selector, abi.encode(access, meant, scope), patientId);
        check(_lastEvent[3] == 0, "the patient himself is no account");
    }

    /// @dev Whatever his directive says: it binds others.
    function _ownScope(bytes32 patientId) private returns (IAccessLog.Scope memory scope) {
        scope.compartments = uint64(_onceIn(12) ? 0 : 1 + _draw(15));
        scope.recordedFrom = uint32(98 + _draw(6));
        scope.recordedTo = uint32(scope.recordedFrom + _draw(6) - (_onceIn(12) ? 1 : 0));
        uint256 head = _members[_patients[patientId].custodian].head;
        scope.upTo = uint64(_onceIn(8) ? head + 1 : head - _draw(head + 1));
    }
}

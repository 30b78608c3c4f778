// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILegalOrders} from "../../../contracts/interfaces/ILegalOrders.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {ConsentTerms, Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {Cosigner} from "../../../contracts/libraries/Cosigners.sol";
import {Entry} from "../../../contracts/libraries/Leaves.sol";
import {DocumentActions} from "./DocumentActions.sol";

/// @notice Two reviewers enter a court's order, and lift it.
abstract contract OrderActions is DocumentActions {
    string private constant DOMAIN = "chartseal LegalOrders";
    uint8 private constant LEGAL_ORDER = 2;
    bytes32 private constant ENTRY_TYPEHASH = keccak256(
        "OrderEntry(bytes32 termsHash,address first,uint48 deadline)"
    );
    bytes32 private constant LIFT_TYPEHASH = keccak256(
        "OrderLift(bytes32 patientId,bytes32 termsHash,address first,uint48 deadline)"
    );

    function enterOrder(uint256 seed) public action(seed) {
        bool again = _orderIds.length != 0 && _onceIn(8);
        Terms memory terms = again ? _orders[_someOrder()].terms : _newOrder();
        bytes32 termsHash = _hashOf(terms);
        Entry memory document = _document(LEGAL_ORDER, terms.patientId, termsHash);
        (address first, address other) = _twoReviewers();
        uint48 deadline = _someDeadline();
        (Cosigner memory second, bytes memory signedBy) = _cosign(
            other,
            deadline,
            address(LEGAL_ORDERS),
            DOMAIN,
            keccak256(abi.encode(ENTRY_TYPEHASH, termsHash, first, deadline))
        );
        _termsRules(terms);
        _rule(terms.purposes == 256, ConsentTerms.TermsPurposesInvalid.selector); // HLEGAL alone
        _rule(_orders[termsHash].terms.format == 0, ILegalOrders.OrderAlreadyEntered.selector);
        bool known = _patients[terms.patientId].custodian != 0;
        _rule(known, IPatientRegistry.PatientUnknown.selector);
        bytes4 mismatch = ILegalOrders.DocumentMismatch.selector;
        _documentRules(document, LEGAL_ORDER, terms.patientId, termsHash, mismatch);
        address from = _reviewersRules(first, second, signedBy);

        bytes memory call = abi.encodeCall(LEGAL_ORDERS.enter, (terms, document, second));
        if (_attempt(from, address(LEGAL_ORDERS), call)) {
            _orders[termsHash].terms = terms;
            _orderIds.push(termsHash);
        }
    }

    function liftOrder(uint256 seed) public action(seed) {
        // Half as often as chance would have it, so that there is something left to read.
        if (_onceIn(2)) return;
        bytes32 termsHash = _someOrder();
        bytes32 patientId = _onceIn(10) ? _somePatient(0) : _orders[termsHash].terms.patientId;
        (address first, address other) = _twoReviewers();
        uint48 deadline = _someDeadline();
        (Cosigner memory second, bytes memory signedBy) = _cosign(
            other,
            deadline,
            address(LEGAL_ORDERS),
            DOMAIN,
            keccak256(abi.encode(LIFT_TYPEHASH, patientId, termsHash, first, deadline))
        );
        _orderRules(patientId, termsHash);
        address from = _reviewersRules(first, second, signedBy);

        bytes memory call = abi.encodeCall(LEGAL_ORDERS.lift, (patientId, termsHash, second));
        if (_attempt(from, address(LEGAL_ORDERS), call)) _orders[termsHash].lifted = true;
    }

    function _someOrder() private returns (bytes32) {
        uint256 count = _orderIds.length;
        return count == 0 || _onceIn(16) ? keccak256("no order") : _orderIds[_draw(count)];
    }

    function _newOrder() private returns (Terms memory terms) {
        terms.format = uint16(_onceIn(20) ? 2 : 1);
        terms.patientId = _somePatient(0);
        terms.grantee = _anyMember();
        terms.compartments = uint64(_onceIn(20) ? 0 : _draw(15) + 1);
        terms.purposes = uint16(_onceIn(10) ? _draw(1024) : 256);
        terms.notBefore = uint48(_onceIn(6) ? _clock + _draw(4 days) : _clock);
        terms.notAfter = uint48(terms.notBefore + _draw(60 days));
        terms.recordedFrom = uint32(100 + _draw(4));
        terms.recordedTo = uint32(_onceIn(12) ? 99 : 104 + _draw(4));
        terms.salt = bytes32(_draw(type(uint256).max));
    }

    /// @dev Mostly of two members.
    function _twoReviewers() private returns (address first, address second) {
        first = _seasonedFor(0, 0, REVIEWER, REMOVED);
        second = _seasonedFor(0, _onceIn(10) ? 0 : _staff[first].memberId, REVIEWER, REMOVED);
    }

    /// @dev Who sends it: mostly whom the second named.
    function _reviewersRules(
        address first,
        Cosigner memory second,
        bytes memory signedBy
    ) private returns (address from) {
        from = _onceIn(12) ? _anyone() : first;
        bytes memory by = from == first ? signedBy : bytes("");
        (uint32 firstMember, uint32 secondMember) = _pairRules(from, second, by, REVIEWER, REMOVED);
        _rule(firstMember != secondMember, ILegalOrders.ReviewersOfOneMember.selector);
    }
}

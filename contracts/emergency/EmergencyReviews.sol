// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBreakGlass} from "../interfaces/IBreakGlass.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Roles} from "../libraries/Roles.sol";
import {Suspension} from "../libraries/Suspension.sol";
import {Emergencies} from "./Emergencies.sol";

/// @title EmergencyReviews
/// @notice How a window is accounted for: justified by its reader's member, reviewed by the custodian, flagged by
/// anyone when the first is overdue.
abstract contract EmergencyReviews is Emergencies {
    /// @notice Who belongs to the consortium.
    IMemberRegistry public immutable MEMBERS;

    constructor(IMemberRegistry members) {
        MEMBERS = members;
    }

    /// @inheritdoc IBreakGlass
    function justify(bytes32 windowId, bytes32 statementDigest) external {
        Window storage window = _known(windowId);
        uint32 memberId = _requireOfficer(windowId, window, statementDigest);
        if (!_mayJustify(window, memberId)) revert NotReviewer(windowId, memberId);
        if (window.justification != 0) revert AlreadyJustified(windowId);

        window.justification = statementDigest;
        if (window.overdue) {
            window.overdue = false;
            _settleOverdue(window.memberId, window.readerPerson);
            _settleOverdue(window.colleagueMember, window.colleaguePerson);
        }
        uint48 justifiedAt = uint48(block.timestamp);
        _advance(
            WindowJustified.selector,
            windowId,
            window.patientId,
            msg.sender,
            keccak256(abi.encode(statementDigest, justifiedAt))
        );

        emit WindowJustified(windowId, window.patientId, msg.sender, statementDigest, justifiedAt);
    }

    /// @inheritdoc IBreakGlass
    function review(bytes32 windowId, Verdict verdict, bytes32 statementDigest) external {
        Window storage window = _known(windowId);
        if (verdict == Verdict.NONE) revert VerdictMissing(windowId);
        uint32 memberId = _requireOfficer(windowId, window, statementDigest);
        if (!_mayReview(window, memberId)) revert NotReviewer(windowId, memberId);
        if (window.verdict != Verdict.NONE) revert AlreadyReviewed(windowId, window.verdict);
        if (window.justification == 0 && block.timestamp <= _justificationDue(window)) {
            revert NotYetJustified(windowId);
        }

        window.verdict = verdict;
        uint48 reviewedAt = uint48(block.timestamp);
        _advance(
            WindowReviewed.selector,
            windowId,
            window.patientId,
            msg.sender,
            keccak256(abi.encode(verdict, statementDigest, reviewedAt))
        );

        emit WindowReviewed(windowId, window.patientId, msg.sender, verdict, statementDigest, reviewedAt);
    }

    /// @inheritdoc IBreakGlass
    function flagOverdue(bytes32 windowId) external {
        Window storage window = _known(windowId);
        if (window.justification != 0) revert AlreadyJustified(windowId);
        if (window.overdue) revert AlreadyFlagged(windowId);
        uint48 dueAt = _justificationDue(window);
        if (block.timestamp <= dueAt) revert NotOverdue(windowId, dueAt);

        window.overdue = true;
        _addOverdue(window.memberId, window.readerPerson);
        _addOverdue(window.colleagueMember, window.colleaguePerson);
        uint48 flaggedAt = uint48(block.timestamp);
        _advance(WindowOverdue.selector, windowId, window.patientId, keccak256(abi.encode(flaggedAt)));

        emit WindowOverdue(windowId, window.patientId, flaggedAt);
    }

    /// @dev Nobody judges his own emergency. A suspended member still has to account for what it did.
    function _requireOfficer(
        bytes32 windowId,
        Window storage window,
        bytes32 statementDigest
    ) private view returns (uint32 memberId) {
        if (statementDigest == 0) revert DigestZero();
        bytes32 personId;
        (memberId, personId) = MEMBERS.authorizedSeasoned(msg.sender, Roles.REVIEWER, Suspension.REMOVED);
        if (personId == window.readerPerson || personId == window.colleaguePerson) {
            revert OwnEmergency(windowId, personId);
        }
    }

    /// @dev The reader's member's, and once it is overdue the colleague's: what the one leaves undone must not stop the
    /// other's persons for good.
    function _mayJustify(Window storage window, uint32 memberId) private view returns (bool) {
        return memberId == window.memberId || (window.overdue && memberId == window.colleagueMember);
    }

    /// @dev The custodian's, and once the review is overdue those of neither side.
    function _mayReview(Window storage window, uint32 memberId) private view returns (bool) {
        if (memberId == window.custodian) return true;
        return
            block.timestamp > _reviewDue(window) &&
            memberId != window.memberId &&
            memberId != window.colleagueMember;
    }
}

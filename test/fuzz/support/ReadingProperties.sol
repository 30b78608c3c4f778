// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessLog} from "../../../contracts/interfaces/IAccessLog.sol";
import {IBreakGlass} from "../../../contracts/interfaces/IBreakGlass.sol";
import {IConsentRegistry} from "../../../contracts/interfaces/IConsentRegistry.sol";
import {IPatientRegistry} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {Terms} from "../../../contracts/libraries/ConsentTerms.sol";
import {Entry} from "../../../contracts/libraries/Leaves.sol";
import {check} from "./Check.sol";
import {OwnActions} from "./OwnActions.sol";
import {vm} from "./Vm.sol";

/// @notice What must hold at any time of emergencies, legal orders and holds.
abstract contract ReadingProperties is OwnActions {
    error LetIn();

    /// @dev The counters are what follows from the windows one by one.
    function checkEmergencies() external view {
        for (uint256 n = 1; n <= PERSONS; ++n) {
            check(BREAK_GLASS.overdueOfPerson(bytes32(n)) == _owedBy(bytes32(n)), "overdue of a person");
        }
        for (uint32 memberId = 1; memberId <= _memberCount; ++memberId) {
            check(BREAK_GLASS.overdueOfMember(memberId) == _overdueOf(memberId), "overdue of a member");
        }
        for (uint256 i = 0; i < _windowIds.length; ++i) {
            GhostWindow storage ghost = _windows[_windowIds[i]];
            IBreakGlass.Window memory window = BREAK_GLASS.windowOf(_windowIds[i]);
            check(window.reader == ghost.reader, "reader of a window");
            check(window.late == ghost.late, "filed late");
            check(window.openedAt == ghost.terms.notBefore, "opened when");
            check(window.overdue == (ghost.flagged && !ghost.justified), "overdue");
            check(uint8(window.verdict) == ghost.verdict, "a verdict is given once");
            check((window.justification != 0) == ghost.justified, "justification");
        }
    }

    /// @notice Asks through the newest windows, as everybody who could be thought of: only the reader gets in, and
    /// only until the end.
    /// @dev Changes nothing: what is asked is undone.
    function checkWindows() external {
        vm.warp(_clock);
        uint256 count = _windowIds.length;
        for (uint256 i = count < 2 ? 0 : count - 2; i < count; ++i) {
            GhostWindow storage window = _windows[_windowIds[i]];
            for (uint256 n = 0; n < ACCOUNTS; ++n) {
                address account = _account(n);
                bool open = account == window.reader && !window.late && _clock <= window.terms.notAfter;
                check(
                    open || !_letsIn(account, window.terms, BTG),
                    "a window lets another in, or outlives its end"
                );
            }
            if (window.late) _checkStandsForNobody(_windowIds[i], window.reader);
        }
    }

    /// @notice A lifted order lets nobody in, an order that stands is what the model says.
    function checkOrders() external {
        vm.warp(_clock);
        for (uint256 i = 0; i < _orderIds.length; ++i) {
            GhostOrder storage order = _orders[_orderIds[i]];
            try LEGAL_ORDERS.standingOf(order.terms.patientId, _orderIds[i]) returns (uint32 custodian) {
                check(!order.lifted, "a lifted order stands");
                check(custodian == _patients[order.terms.patientId].custodian, "custodian of the order");
            } catch {
                check(order.lifted, "an order fell without being lifted");
            }
            for (uint256 n = 0; order.lifted && n < ACCOUNTS; ++n) {
                check(!_letsIn(_account(n), order.terms, HLEGAL), "a lifted order lets somebody in");
            }
        }
    }

    /// @notice What is held stays as it was, until the hold is lifted.
    function checkHolds() external view {
        for (uint256 i = 0; i < _batches.length; ++i) {
            GhostBatch storage batch = _batches[i];
            for (uint256 j = 0; j < batch.leaves.length; ++j) {
                uint64 index = uint64(batch.firstIndex + j);
                GhostHold storage hold = _holds[batch.memberId][index];
                check(RECORDS.holdUntil(batch.memberId, index) == hold.until, "held until when");
                uint8 flags = RECORDS.statusOf(batch.memberId, index);
                check((flags & HELD != 0) == (hold.until != 0), "held without an end, or the reverse");
                bool kept = hold.until == 0 || flags == hold.flagsBefore | HELD;
                check(kept, "superseded, retracted or erased while held");
            }
        }
    }

    /// @notice Whoever may read otherwise, and on whatever ground: what is erased is refused.
    function checkErased() external {
        vm.warp(_clock);
        uint256 asked = 0;
        for (uint256 i = _batches.length; i > 0 && asked < 3; --i) {
            GhostBatch storage batch = _batches[i - 1];
            for (uint256 j = 0; j < batch.leaves.length; ++j) {
                uint64 index = uint64(batch.firstIndex + j);
                if (_status[batch.memberId][index] & ERASED == 0) continue;
                ++asked;
                check(RECORDS.statusOf(batch.memberId, index) & ERASED != 0, "erased no more");
                _checkUnreadable(_entryOf(batch.memberId, index));
            }
        }
    }

    /// @notice While a change is fresh, the registry takes no signature for what loosens, and no signed grant bears a
    /// time of those days.
    function checkLoosening() external {
        vm.warp(_clock);
        for (uint256 i = 0; i < _patientIds.length; ++i) {
            uint256 from = PATIENT_REGISTRY.patientOf(_patientIds[i]).loosensFrom;
            try
                PATIENT_REGISTRY.requireLoosening(
                    _patientIds[i],
                    0,
                    abi.encode(new bytes[](0), new bytes[](0))
                )
            {
                check(false, "a signature of nobody");
            } catch (bytes memory reason) {
                bool later = bytes4(reason) == IPatientRegistry.LoosensLater.selector;
                check(later == (_clock < from), "loosens too early, or too late");
            }
        }
        for (uint256 i = 0; i < _terms.length; ++i) {
            Terms memory terms = _terms[i];
            IConsentRegistry.Grant memory given = CONSENTS.grantOf(terms.patientId, _hashOf(terms));
            if (given.givenBy == IConsentRegistry.GivenBy.WITNESSES) continue;
            uint256 from = PATIENT_REGISTRY.patientOf(terms.patientId).loosensFrom;
            bool early = given.grantedAt < from && given.grantedAt + 3 days > from;
            check(!early, "granted before it may loosen");
        }
    }

    function askFor(address reader, Terms memory terms, uint8 purpose, Entry memory entry) external {
        if (msg.sender != address(this)) return;
        Entry[] memory entries = new Entry[](1);
        entries[0] = entry;
        vm.prank(reader);
        ACCESS_LOG.requestRecords(terms, purpose, entries);
        revert LetIn();
    }

    function _checkStandsForNobody(bytes32 windowId, address reader) private view {
        try BREAK_GLASS.standingOf(windowId, reader) {
            check(false, "what was filed late lets its reader in");
        } catch (bytes memory reason) {
            check(bytes4(reason) == IBreakGlass.WindowIsLate.selector, "late for another reason");
        }
    }

    function _checkUnreadable(Entry memory entry) private {
        for (uint256 n = 0; n < _windowIds.length; ++n) {
            GhostWindow storage window = _windows[_windowIds[n]];
            if (window.terms.patientId == entry.leaf.patientId) {
                _refuses(window.reader, window.terms, BTG, entry);
            }
        }
        for (uint256 n = 0; n < _terms.length; ++n) {
            if (_terms[n].patientId != entry.leaf.patientId) continue;
            for (uint256 a = 0; a < ACCOUNTS; ++a) {
                if (_staff[_account(a)].memberId != _terms[n].grantee) continue;
                if (_mayAct(_account(a), CLINICIAN, READING)) _refuses(_account(a), _terms[n], 0, entry);
            }
        }
    }

    function _refuses(address reader, Terms memory terms, uint8 purpose, Entry memory entry) private {
        try this.askFor(reader, terms, purpose, entry) {} catch (bytes memory reason) {
            check(bytes4(reason) != LetIn.selector, "an erased entry is readable");
        }
    }

    function ask(address reader, Terms memory terms, uint8 purpose) external {
        if (msg.sender != address(this)) return;
        IAccessLog.Scope memory scope = IAccessLog.Scope(1, terms.recordedFrom, terms.recordedTo, 0);
        vm.prank(reader);
        ACCESS_LOG.requestScope(terms, purpose, IAccessLog.Extent.INDEX, scope);
        revert LetIn();
    }

    function _letsIn(address reader, Terms memory terms, uint8 purpose) private returns (bool) {
        try this.ask(reader, terms, purpose) {
            return true;
        } catch (bytes memory reason) {
            return bytes4(reason) == LetIn.selector;
        }
    }
}

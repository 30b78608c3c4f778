// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {check} from "./support/Check.sol";
import {ConsortiumProperties} from "./support/ConsortiumProperties.sol";
import {vm} from "./support/Vm.sol";

/// @dev Here, because the test runner knows only contracts of the files that it was given.
contract ConsortiumHandler is ConsortiumProperties {}

/// @notice What holds after any row of right and wrong calls, by anyone, at any time. That each single call is
/// accepted exactly if the model's rules allow it, the handler checks itself; a call judged wrongly fails the run.
contract ConsortiumInvariants {
    /// @dev As the test runner knows it.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    ConsortiumHandler private _handler;

    function setUp() external {
        _handler = new ConsortiumHandler();
    }

    /// @dev Asked by the test runner: the actions alone, and time.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory actions = _handler.actions();
        bytes4[] memory selectors = new bytes4[](actions.length + 1);
        for (uint256 i = 0; i < actions.length; ++i) selectors[i] = actions[i];
        selectors[actions.length] = _handler.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// @dev Asked by the test runner.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_aLogIsTheSumOfItsBatchesAndNeverFalls() external view {
        _handler.checkLogs();
    }

    function invariant_aRevokedGrantNeverPermitsAgain() external view {
        _handler.checkGrants();
    }

    function invariant_aPatientsHeadsFollowFromTheRawLogs() external view {
        _handler.checkHeads();
    }

    function invariant_overdueCountersFollowFromTheWindows() external view {
        _handler.checkEmergencies();
    }

    function invariant_aWindowLetsInItsReaderAloneAndOnlyUntilItsEnd() external {
        _handler.checkWindows();
    }

    function invariant_aLiftedOrderNeverPermitsAgain() external {
        _handler.checkOrders();
    }

    function invariant_whatIsErasedIsNeverReadable() external {
        _handler.checkErased();
    }

    function invariant_nothingLoosensTooEarly() external {
        _handler.checkLoosening();
    }

    function invariant_whatIsHeldStaysAsItIs() external view {
        _handler.checkHolds();
    }

    function invariant_statusFlagsAreNeverCleared() external view {
        _handler.checkStatuses();
    }

    function invariant_aKeyServesOnePatientForGood() external view {
        _handler.checkSigners();
    }

    function invariant_onlyStandingStaffOfStandingMembersMayAct() external {
        vm.warp(_handler.clock());
        _handler.checkStaff();
    }
}

/// @notice The campaigns above are worth something only if every action is accepted at times and refused at times.
contract ConsortiumActionsTest {
    uint256 private constant MOST_TRIES = 240;

    function test_everyActionIsAcceptedAndRefused() external {
        ConsortiumHandler handler = new ConsortiumHandler();
        bytes4[] memory actions = handler.actions();
        for (uint256 i = 0; i < actions.length; ++i) {
            bytes4 action = actions[i];
            uint256 tries = 0;
            while (handler.outcomes(action, true) < 2 || handler.outcomes(action, false) < 2) {
                check(
                    ++tries <= MOST_TRIES,
                    string.concat("always alike: ", Strings.toHexString(uint32(action), 4))
                );
                // What it needs may be used up: what went before gives more of it.
                for (uint256 j = 0; tries % 8 == 0 && j < i; ++j) {
                    _run(handler, abi.encodeWithSelector(actions[j], keccak256(abi.encode(i, tries, j))));
                }
                _run(handler, abi.encodeWithSelector(action, keccak256(abi.encode(i, tries))));
            }
        }
    }

    function _run(ConsortiumHandler handler, bytes memory call) private {
        (bool ok, bytes memory reason) = address(handler).call(call);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}

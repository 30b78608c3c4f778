// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {ERC7913WebAuthnVerifier} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913WebAuthnVerifier.sol";
import {AccessLog} from "../../../contracts/AccessLog.sol";
import {BreakGlass} from "../../../contracts/BreakGlass.sol";
import {ConsentRegistry} from "../../../contracts/ConsentRegistry.sol";
import {LegalOrders} from "../../../contracts/LegalOrders.sol";
import {MemberRegistry} from "../../../contracts/MemberRegistry.sol";
import {PatientRegistry} from "../../../contracts/PatientRegistry.sol";
import {RecordRegistry} from "../../../contracts/RecordRegistry.sol";
import {IBreakGlass} from "../../../contracts/interfaces/IBreakGlass.sol";
import {check} from "./Check.sol";
import {ReadingModel} from "./ReadingModel.sol";
import {Vm, vm} from "./Vm.sol";

/// @notice The contracts, a fixed cast, one source of chance for each call, and the comparison of every call's
/// outcome with the model's.
abstract contract ConsortiumStage is ReadingModel {
    address internal constant GOVERNANCE = address(0x60);
    uint256 internal constant ACCOUNTS = 18;
    /// @dev So many that it ends, for records of day 100 to 107, within days of the beginning (day 20833).
    uint256 internal constant RETENTION_DAYS = 20_729;
    uint256 internal constant PATIENT_KEYS = 40;

    address public immutable PASSKEYS;
    MemberRegistry public immutable MEMBERS;
    PatientRegistry public immutable PATIENT_REGISTRY;
    RecordRegistry public immutable RECORDS;
    ConsentRegistry public immutable CONSENTS;
    LegalOrders public immutable LEGAL_ORDERS;
    BreakGlass public immutable BREAK_GLASS;
    AccessLog public immutable ACCESS_LOG;

    /// @dev How often each action was accepted and refused: a test asks that both happened.
    mapping(bytes4 action => mapping(bool ok => uint256)) public outcomes;
    /// @dev Recomputed from the raw logs alone, as a patient would.
    mapping(address emitter => mapping(bytes32 patientId => uint256)) public headFromLogs;

    /// @dev The newest log.
    bytes32[] internal _lastEvent;
    bytes internal _lastData;

    /// @dev While true, nothing unlikely happens: the opening scene is set by the same actions.
    bool internal _orderly;
    /// @dev While true, calls are not counted: what an action needs is put there first.
    bool internal _preparing;
    address[] private _accounts;
    mapping(address account => uint256 privateKey) internal _keyOfAccount;
    uint256 private _chance;

    /// @dev Every action begins here.
    modifier action(uint256 seed) {
        _chance = seed;
        delete _faults;
        vm.warp(_clock);
        _;
    }

    constructor() {
        vm.warp(_clock);
        AccessManager authority = new AccessManager(GOVERNANCE);
        MEMBERS = new MemberRegistry(address(authority), 1 hours);
        PASSKEYS = address(new ERC7913WebAuthnVerifier());
        PATIENT_REGISTRY = new PatientRegistry(MEMBERS, PASSKEYS, 3 days);
        RECORDS = new RecordRegistry(MEMBERS, PATIENT_REGISTRY, uint32(RETENTION_DAYS));
        CONSENTS = new ConsentRegistry(MEMBERS, PATIENT_REGISTRY, RECORDS);
        LEGAL_ORDERS = new LegalOrders(MEMBERS, PATIENT_REGISTRY, RECORDS);
        BREAK_GLASS = new BreakGlass(
            MEMBERS,
            PATIENT_REGISTRY,
            CONSENTS,
            IBreakGlass.Limits(4 hours, 3 days, 30 days, 7 days, 3, 30, 3, 4)
        );
        ACCESS_LOG = new AccessLog(MEMBERS, PATIENT_REGISTRY, RECORDS, CONSENTS, LEGAL_ORDERS, BREAK_GLASS);
        vm.recordLogs();
        for (uint256 n = 0; n < ACCOUNTS; ++n) {
            uint256 key = uint256(keccak256(abi.encode("staff", n)));
            _accounts.push(vm.addr(key));
            _keyOfAccount[_accounts[n]] = key;
        }
    }

    /// @dev Calls as `from` and holds the outcome against `_faults`. Returns whether it succeeded.
    function _attempt(address from, address target, bytes memory call) internal returns (bool ok) {
        vm.getRecordedLogs(); // those of before
        vm.prank(from);
        bytes memory answer;
        (ok, answer) = target.call(call);
        if (!_preparing) ++outcomes[msg.sig][ok];

        if (ok) {
            check(_faults.length == 0, string.concat(_hex(bytes4(call)), ": accepted against the rules"));
            _takeLogs();
        } else {
            check(_faults.length != 0, string.concat(_hex(bytes4(call)), ": refused, and no rule is broken"));
            check(
                _isFault(bytes4(answer)),
                string.concat(_hex(bytes4(call)), ": refused for another reason")
            );
        }
    }

    /// @dev Moves the heads over every log about a patient; keeps to what Heads documents.
    function _takeLogs() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            Vm.Log memory log = logs[i];
            _lastEvent = log.topics;
            _lastData = log.data;
            uint256 place = _patientTopic(log);
            // No patient: what MemberRegistry says, a batch that was anchored, and who looks for somebody.
            if (place == 0 || log.topics.length <= place) continue;
            bytes32 patientId = log.topics[place];
            bytes32 eventDigest = keccak256(abi.encodePacked(log.topics, keccak256(log.data)));
            uint256 head = headFromLogs[log.emitter][patientId];
            uint256 digest = uint256(keccak256(abi.encodePacked(head, eventDigest)));
            headFromLogs[log.emitter][patientId] = ((digest >> 40) << 40) + (head % 2 ** 40) + 1;
        }
    }

    /// @dev Which topic is the patient; 0: none. What has an id of its own, or an index, goes before it.
    function _patientTopic(Vm.Log memory log) private view returns (uint256) {
        address emitter = log.emitter;
        if (emitter == address(MEMBERS) || log.topics[0] == IBreakGlass.LookupLogged.selector) return 0;
        if (emitter == address(RECORDS)) return 3;
        return emitter == address(ACCESS_LOG) || emitter == address(BREAK_GLASS) ? 2 : 1;
    }

    function _isFault(bytes4 selector) private view returns (bool) {
        for (uint256 i = 0; i < _faults.length; ++i) {
            if (_faults[i] == selector) return true;
        }
        return false;
    }

    function _hex(bytes4 selector) private pure returns (string memory) {
        return Strings.toHexString(uint32(selector), 4);
    }

    /// @dev The next number below `below` that follows from the action's seed.
    function _draw(uint256 below) internal returns (uint256) {
        _chance = uint256(keccak256(abi.encode(_chance)));
        return _chance % below;
    }

    /// @dev True once in `times`.
    function _onceIn(uint256 times) internal returns (bool) {
        return !_orderly && _draw(times) == 0;
    }

    function _account(uint256 n) internal view returns (address) {
        return _accounts[n];
    }

    /// @dev Within an action: time passes, unless it is later already.
    function _passTo(uint256 time) internal {
        if (time <= _clock) return;
        _clock = time;
        vm.warp(time);
    }

    /// @dev Anyone: staff, an admin, governance or a stranger.
    function _anyone() internal returns (address) {
        uint256 n = _draw(ACCOUNTS + 3);
        if (n < ACCOUNTS) return _account(n);
        if (n == ACCOUNTS) return GOVERNANCE;
        return n == ACCOUNTS + 1 ? address(0x5712) : _members[uint32(1 + _draw(_memberCount))].admin;
    }

    /// @dev Mostly an account that may act in this role for `memberId` (0: for any member), sometimes anyone.
    function _staffFor(uint32 memberId, uint8 role, uint8 activity) internal returns (address) {
        if (_onceIn(6)) return _anyone();
        uint256 from = _draw(ACCOUNTS);
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            address account = _account((from + i) % ACCOUNTS);
            bool right = memberId == 0 || _staff[account].memberId == memberId;
            if (right && _mayAct(account, role, activity)) return account;
        }
        return _anyone();
    }

    /// @dev Mostly an account that counts as a person who may act in this role; of `memberId`'s, or with 0 of any
    /// but `notMember`'s; sometimes anyone.
    function _seasonedFor(
        uint32 memberId,
        uint32 notMember,
        uint8 role,
        uint8 activity
    ) internal returns (address) {
        if (_onceIn(8)) return _anyone();
        uint256 from = _draw(ACCOUNTS);
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            address account = _account((from + i) % ACCOUNTS);
            uint32 its = _staff[account].memberId;
            bool right = memberId == 0 ? its != notMember : its == memberId;
            if (right && _mayCount(account, role, activity)) return account;
        }
        return _anyone();
    }

    /// @dev Mostly a member's id, sometimes 0 or one too high.
    function _anyMember() internal returns (uint32) {
        return uint32(_onceIn(12) ? _draw(2) * (_memberCount + 1) : 1 + _draw(_memberCount));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBreakGlass} from "../interfaces/IBreakGlass.sol";
import {Roles} from "../libraries/Roles.sol";
import {Suspension} from "../libraries/Suspension.sol";
import {LateReleases} from "./LateReleases.sol";

/// @title Lookups
/// @notice Who looks for a patient of whom he has only an identifier says so first, and not often: else he could try
/// whole lists of identifiers.
abstract contract Lookups is LateReleases {
    /// @dev How many times what one person may, all of a member's persons together may.
    uint16 private constant MEMBERS_SHARE = 20;

    mapping(bytes32 personId => DayCount) private _lookupsOfPersonToday;
    mapping(uint32 memberId => DayCount) private _lookupsOfMemberToday;

    /// @inheritdoc IBreakGlass
    function logLookup(bytes32 blindedDigest) external returns (bytes32 lookupId) {
        if (blindedDigest == 0) revert DigestZero();
        (uint32 memberId, bytes32 personId) = MEMBERS.authorizedSeasoned(
            msg.sender,
            Roles.CLINICIAN,
            Suspension.READING
        );

        uint16 quota = _lookupQuota();
        if (!_count(_lookupsOfPersonToday[personId], quota)) revert QuotaOfPersonUsed(personId, quota);
        quota *= MEMBERS_SHARE;
        if (!_count(_lookupsOfMemberToday[memberId], quota)) revert QuotaOfMemberUsed(memberId, quota);

        lookupId = keccak256(abi.encode(block.chainid, address(this), msg.sender, blindedDigest));
        emit LookupLogged(lookupId, msg.sender, memberId, blindedDigest, uint48(block.timestamp));
    }
}

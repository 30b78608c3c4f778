// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Roles} from "./Roles.sol";
import {Suspension} from "./Suspension.sol";

/// @notice A second person's signature, where an act needs two.
struct Cosigner {
    address account; // of a member's staff
    uint48 deadline; // Unix seconds, inclusive; part of what is signed
    bytes signature; // EIP-712, over a struct that the function names
}

/// @title Cosigners
/// @notice Acts of two persons: the caller and one who signed. Both must be staff past their waiting time, and two
/// accounts of one person count once.
library Cosigners {
    error CosignatureExpired(uint48 deadline);
    error CosignatureInvalid(address account);
    error SamePerson(bytes32 personId);
    error ReviewerOfCustodian(address reviewer, uint32 custodian);

    /// @notice The caller's and the cosigner's members, if both may act in `role` and are two persons.
    /// @param digest EIP-712 digest that the cosigner signed.
    /// @param activity Bits of Suspension that must not be set for either member.
    function requireTwo(
        IMemberRegistry members,
        Cosigner calldata second,
        bytes32 digest,
        uint8 role,
        uint8 activity
    )
        internal
        view
        returns (uint32 firstMember, uint32 secondMember, bytes32 firstPerson, bytes32 secondPerson)
    {
        (firstMember, firstPerson) = members.authorizedSeasoned(msg.sender, role, activity);
        (secondMember, secondPerson) = requireOne(members, second, digest, role, activity);
        if (firstPerson == secondPerson) revert SamePerson(firstPerson);
    }

    /// @notice Reverts unless the cosigner is a REVIEWER of another member than `custodian`, and another person than the
    /// caller.
    function requireOutsideReviewer(
        IMemberRegistry members,
        Cosigner calldata reviewer,
        bytes32 digest,
        uint32 custodian
    ) internal view {
        (uint32 memberId, bytes32 personId) = requireOne(
            members,
            reviewer,
            digest,
            Roles.REVIEWER,
            Suspension.REMOVED
        );
        if (memberId == custodian) revert ReviewerOfCustodian(reviewer.account, custodian);
        // Who works for both members is still one person.
        if (members.staffOf(msg.sender).personId == personId) revert SamePerson(personId);
    }

    /// @notice The cosigner's member and person, if he may act in `role` and signed `digest`.
    function requireOne(
        IMemberRegistry members,
        Cosigner calldata second,
        bytes32 digest,
        uint8 role,
        uint8 activity
    ) internal view returns (uint32 memberId, bytes32 personId) {
        if (block.timestamp > second.deadline) revert CosignatureExpired(second.deadline);
        (memberId, personId) = members.authorizedSeasoned(second.account, role, activity);
        if (!SignatureChecker.isValidSignatureNow(second.account, digest, second.signature)) {
            revert CosignatureInvalid(second.account);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What a patient consents to. EIP-712 struct; its struct hash is the terms hash.
struct Terms {
    uint16 format; // 1
    bytes32 patientId;
    uint32 grantee; // member id
    uint64 compartments; // bit n: compartment n
    uint16 purposes; // bit n: purpose n of Purposes
    uint48 notBefore; // Unix seconds, inclusive
    uint48 notAfter; // Unix seconds, inclusive
    uint32 recordedFrom; // days since 1970-01-01 UTC, inclusive
    uint32 recordedTo; // days since 1970-01-01 UTC, inclusive
    bytes32 salt; // random: the same terms can be given again after a revocation
}

/// @title ConsentTerms
/// @notice The hash of terms, and what they say by themselves.
library ConsentTerms {
    uint16 internal constant FORMAT = 1;

    /// @dev EIP-712 type hash.
    bytes32 internal constant TYPEHASH = keccak256(
        "Terms(uint16 format,bytes32 patientId,uint32 grantee,uint64 compartments,uint16 purposes,uint48 notBefore,uint48 notAfter,uint32 recordedFrom,uint32 recordedTo,bytes32 salt)"
    );

    error TermsFormatUnsupported(uint16 format);
    error TermsPeriodInvalid(uint48 notBefore, uint48 notAfter);
    error TermsRecordedPeriodInvalid(uint32 recordedFrom, uint32 recordedTo);
    error TermsCompartmentsEmpty();
    error TermsPurposesInvalid(uint16 purposes);
    error GrantNotYetValid(uint48 notBefore);
    error GrantExpired(uint48 notAfter);
    error GranteeMismatch(uint32 grantee, uint32 memberId);
    error PurposeNotGranted(uint8 purpose, uint16 purposes);

    /// @notice EIP-712 struct hash.
    /// @dev The words are hashed as they came. A word with bits outside its type gives a hash that nobody signed.
    function hash(Terms calldata terms) internal pure returns (bytes32 termsHash) {
        bytes32 typeHash = TYPEHASH;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, typeHash)
            // Ten words, all static: 320 bytes.
            calldatacopy(add(input, 0x20), terms, 0x140)
            termsHash := keccak256(input, 0x160)
        }
    }

    /// @notice EIP-712 struct hash of terms that a contract made.
    function hashOf(Terms memory terms) internal pure returns (bytes32 termsHash) {
        return keccak256(abi.encode(TYPEHASH, terms));
    }

    /// @notice Reverts unless the terms can be given now, for purposes of `allowed` alone.
    function requireWellFormed(Terms calldata terms, uint16 allowed) internal view {
        if (terms.format != FORMAT) revert TermsFormatUnsupported(terms.format);
        if (terms.notBefore > terms.notAfter || block.timestamp > terms.notAfter) {
            revert TermsPeriodInvalid(terms.notBefore, terms.notAfter);
        }
        if (terms.recordedFrom > terms.recordedTo) {
            revert TermsRecordedPeriodInvalid(terms.recordedFrom, terms.recordedTo);
        }
        if (terms.compartments == 0) revert TermsCompartmentsEmpty();
        if (terms.purposes == 0 || terms.purposes & ~allowed != 0) {
            revert TermsPurposesInvalid(terms.purposes);
        }
    }

    /// @notice Reverts unless the terms permit `memberId` to read for `purpose` now.
    function requirePermitting(Terms calldata terms, uint32 memberId, uint8 purpose) internal view {
        if (terms.grantee != memberId) revert GranteeMismatch(terms.grantee, memberId);
        if ((terms.purposes >> purpose) & 1 == 0) revert PurposeNotGranted(purpose, terms.purposes);
        if (block.timestamp < terms.notBefore) revert GrantNotYetValid(terms.notBefore);
        if (block.timestamp > terms.notAfter) revert GrantExpired(terms.notAfter);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice The smallest contract account: one key signs for it, and can be replaced.
contract ERC1271Wallet is IERC1271 {
    address public key;

    constructor(address key_) {
        key = key_;
    }

    function replaceKey(address key_) external {
        key = key_;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address recovered, ECDSA.RecoverError failure, ) = ECDSA.tryRecoverCalldata(hash, signature);
        bool valid = failure == ECDSA.RecoverError.NoError && recovered == key;
        return valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {Roles} from "./libraries/Roles.sol";
import {Suspension} from "./libraries/Suspension.sol";
import {PatientChanges} from "./patients/PatientChanges.sol";
import {PatientKeys} from "./patients/PatientKeys.sol";

/// @title PatientRegistry
/// @dev Registration is here; keys, proxies and changes are in patients/, from the bottom up.
contract PatientRegistry is PatientChanges {
    constructor(
        IMemberRegistry members,
        address passkeyVerifier,
        uint48 recoveryDelay
    )
        EIP712("chartseal PatientRegistry", "1")
        PatientKeys(passkeyVerifier)
        PatientChanges(members, recoveryDelay)
    {}

    /// @inheritdoc IPatientRegistry
    function register(
        bytes32 seed,
        bytes calldata signer,
        bytes calldata possession,
        uint48 deadline
    ) external returns (bytes32 patientId) {
        uint32 custodian;
        (patientId, custodian) = _newPatientId(seed);
        if (signer.length != 0) {
            _requirePossession(patientId, signer, KeyUse.SIGNER, possession, deadline);
            _claim(patientId, signer, KeyUse.SIGNER);
        }

        _register(patientId, custodian, seed, signer);
    }

    /// @inheritdoc IPatientRegistry
    function registerWithGuardians(
        bytes32 seed,
        GuardianSet calldata set,
        uint48 deadline
    ) external returns (bytes32 patientId) {
        uint32 custodian;
        (patientId, custodian) = _newPatientId(seed);
        if (set.guardians.length == 0) revert GuardiansInvalid(0, set.threshold);
        _requirePossessions(patientId, set, deadline);

        _register(patientId, custodian, seed, "");
        _appoint(patientId, set.guardians, set.threshold, set.until);
    }

    /// @inheritdoc IPatientRegistry
    function patientIdOf(uint32 custodian, bytes32 seed) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(custodian, seed));
    }

    function _newPatientId(bytes32 seed) private view returns (bytes32 patientId, uint32 custodian) {
        custodian = MEMBERS.authorized(msg.sender, Roles.OPERATOR, Suspension.WRITING);
        patientId = patientIdOf(custodian, seed);
        if (_patients[patientId].custodian != 0) revert PatientAlreadyRegistered(patientId);
    }

    function _register(bytes32 patientId, uint32 custodian, bytes32 seed, bytes memory signer) private {
        Patient storage patient = _patients[patientId];
        uint48 registeredAt = uint48(block.timestamp);
        patient.custodian = custodian;
        patient.registeredAt = registeredAt;
        patient.signer = signer;
        _advance(
            patientId,
            keccak256(
                abi.encode(
                    PatientRegistered.selector,
                    patientId,
                    uint256(custodian),
                    keccak256(abi.encode(seed, signer, registeredAt))
                )
            )
        );

        emit PatientRegistered(patientId, custodian, seed, signer, registeredAt);
    }
}

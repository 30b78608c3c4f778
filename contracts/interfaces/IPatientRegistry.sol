// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Cosigner} from "../libraries/Cosigners.sol";

/// @title IPatientRegistry
/// @notice Patients under their pseudonyms: who keeps a patient's records, with what key he signs, and who signs for
/// him when he cannot.
/// @dev A patient has another pseudonym at every custodian, so that two members' logs cannot be joined. Who signs: the
/// patient's own signer while he has one and is capable; otherwise his guardians, until their end date. Their signature
/// is `abi.encode(bytes[] guardians, bytes[] signatures)`, at least `threshold` of them.
interface IPatientRegistry {
    /// @notice Whether the patient acts for himself.
    enum Condition {
        CAPABLE,
        INCAPABLE, // guardians sign, though he has a signer
        DEAD // guardians sign, for the estate
    }

    /// @notice Who signed.
    enum Actor {
        NOBODY,
        PATIENT,
        GUARDIANS
    }

    /// @notice For what a key serves its one patient.
    enum KeyUse {
        NONE,
        SIGNER,
        GUARDIAN,
        DELEGATE
    }

    struct Patient {
        uint32 custodian; // member id, for good; 0: no such patient
        uint48 registeredAt; // Unix seconds
        Condition condition;
        uint8 threshold; // how many guardians must sign; 0: no guardians
        uint32 guardianEpoch; // number of the guardians' set
        uint48 guardiansUntil; // Unix seconds, inclusive
        uint32 nonce; // of the next act that carries one
        uint48 loosensFrom; // Unix seconds; before, nothing that loosens is taken
        bytes signer; // ERC-7913: 20-byte account, or verifier followed by key; empty: the patient has no device
    }

    /// @notice Guardians with what each signed to show that he holds his key.
    struct GuardianSet {
        bytes[] guardians; // ERC-7913 signers; one to eight
        bytes[] possessions; // each guardian's signature over PatientGuardian(patientId, key, deadline)
        uint8 threshold; // how many must sign
        uint48 until; // Unix seconds, inclusive: for a child, the day before majority
    }

    /// @notice What only time and two sides together can change.
    enum ChangeKind {
        SIGNER, // another key, because the patient's was lost or he had none
        GUARDIANS, // as a court appointed them
        INCAPABLE,
        CAPABLE,
        DEAD
    }

    struct Change {
        ChangeKind kind;
        bytes[] keys; // SIGNER: the new signer alone; GUARDIANS: the guardians; otherwise none
        uint8 threshold; // GUARDIANS, otherwise 0
        uint48 until; // GUARDIANS, otherwise 0
        bytes32 document; // ref or leaf hash of the entry that justifies it; never an unsalted digest
    }

    struct PendingChange {
        bytes32 changeHash; // keccak256(abi.encode(change)); 0: none
        uint48 readyAt; // Unix seconds
    }

    /// @notice A patient's pseudonym was registered; `signer` is empty for a patient without a device.
    event PatientRegistered(
        bytes32 indexed patientId,
        uint32 indexed custodian,
        bytes32 seed,
        bytes signer,
        uint48 registeredAt
    );
    /// @notice Another key now signs for the patient; `nonce` was used up.
    event SignerRotated(bytes32 indexed patientId, bytes signer, uint32 nonce, uint48 rotatedAt);
    /// @notice These guardians replace all earlier ones; none: the patient has no guardians any more.
    event GuardiansSet(
        bytes32 indexed patientId,
        uint32 indexed guardianEpoch,
        bytes[] guardians,
        uint8 threshold,
        uint48 until,
        uint48 setAt
    );
    /// @notice Until `until`, `delegate` may give grants for the patient; a time that is past ends it.
    event DelegateSet(bytes32 indexed patientId, bytes delegate, uint48 until, uint32 nonce, uint48 setAt);
    /// @notice A change was proposed, by guardians (`reviewer` zero) or by the custodian with another member's
    /// REVIEWER. It can be completed from `readyAt` on.
    event ChangeProposed(
        bytes32 indexed patientId,
        bytes32 indexed changeHash,
        Change change,
        address reviewer,
        uint48 readyAt
    );
    /// @notice The pending change was given up; by the custodian (`withdrawn`), or refused by who signs.
    event ChangeCancelled(
        bytes32 indexed patientId,
        bytes32 indexed changeHash,
        bool withdrawn,
        uint48 cancelledAt
    );
    /// @notice The pending change took effect.
    event ChangeCompleted(bytes32 indexed patientId, bytes32 indexed changeHash, uint48 completedAt);

    error PatientUnknown(bytes32 patientId);
    error PatientAlreadyRegistered(bytes32 patientId);
    error PatientHasNoSigner(bytes32 patientId);
    error PatientCanSign(bytes32 patientId);
    error PatientIsDead(bytes32 patientId);
    error SignerStands(bytes32 patientId);
    error KeyInUse(bytes key, bytes32 patientId);
    error KeyUnsupported(bytes key);
    error SignatureInvalid(bytes32 patientId);
    error DeadlinePassed(uint48 deadline);
    error RecoveryDelayOutOfBounds(uint48 delay);
    error LoosensLater(bytes32 patientId, uint48 from);
    error GuardiansInvalid(uint256 count, uint8 threshold);
    error GuardiansExpired(bytes32 patientId, uint48 until);
    error GuardiansOutlasted(bytes32 patientId, uint48 until);
    error GuardiansTooFew(uint256 count, uint8 threshold);
    error NotGuardian(bytes32 patientId, bytes key);
    error NotDelegate(bytes32 patientId, bytes key, uint48 until);
    error NotCustodian(bytes32 patientId, uint32 memberId);
    error ChangeInvalid(ChangeKind kind);
    error ChangePending(bytes32 patientId, bytes32 changeHash);
    error ChangeUnknown(bytes32 patientId, bytes32 changeHash);
    error ChangeNotReady(bytes32 patientId, uint48 readyAt);
    error ChangeNotForGuardians(ChangeKind kind);

    /// @notice Registers a patient with the caller's member as custodian. By an OPERATOR.
    /// @dev The pseudonym is derived here, from the caller's member, so that no other member can take it first.
    /// @param seed 32 random bytes.
    /// @param signer The patient's ERC-7913 signer, used for no other patient; empty for a patient without a device.
    /// @param possession The signer's signature over PatientSigner(patientId, key, deadline); ignored without one.
    /// @param deadline Unix seconds, inclusive.
    /// @return patientId keccak256(custodian (4 bytes) || seed).
    function register(
        bytes32 seed,
        bytes calldata signer,
        bytes calldata possession,
        uint48 deadline
    ) external returns (bytes32 patientId);

    /// @notice Registers a patient for whom guardians sign from the first day: a child, or one who cannot. By an
    /// OPERATOR.
    /// @param deadline Of the guardians' possessions; Unix seconds, inclusive.
    function registerWithGuardians(
        bytes32 seed,
        GuardianSet calldata set,
        uint48 deadline
    ) external returns (bytes32 patientId);

    /// @notice Replaces the patient's key by a fresh one; gives one to a patient for whom guardians sign. Relayed by
    /// anyone.
    /// @param possession The new key's signature over PatientSigner(patientId, key, deadline).
    /// @param signature Of who signs for the patient, over SignerRotation(patientId, key, nonce, deadline).
    function rotateSigner(
        bytes32 patientId,
        bytes calldata signer,
        bytes calldata possession,
        uint48 deadline,
        bytes calldata signature
    ) external;

    /// @notice Replaces the patient's guardians; an empty set ends them. Relayed by anyone.
    /// @dev Guardians name none who outlast them: a longer term is a change that the custodian proposes.
    /// @param signature Of who signs for the patient, over
    /// GuardianSet(patientId, guardians, threshold, until, nonce, deadline).
    function setGuardians(
        bytes32 patientId,
        GuardianSet calldata set,
        uint48 deadline,
        bytes calldata signature
    ) external;

    /// @notice Lets another person give and revoke grants for the patient until a day. Relayed by anyone.
    /// @dev A delegate whom guardians name does not outlast them.
    /// @param until Unix seconds, inclusive; a time that is past ends the delegation, and then `possession` is ignored.
    /// @param possession The delegate's signature over PatientDelegate(patientId, key, deadline).
    /// @param signature Of who signs for the patient, over Delegation(patientId, key, until, nonce, deadline).
    function setDelegate(
        bytes32 patientId,
        bytes calldata delegate,
        uint48 until,
        bytes calldata possession,
        uint48 deadline,
        bytes calldata signature
    ) external;

    /// @notice Proposes a new SIGNER, INCAPABLE or CAPABLE. Relayed by anyone.
    /// @param possession The new signer's over PatientSigner(patientId, key, deadline); only of a SIGNER.
    /// @param signature The guardians', over PatientChange(patientId, changeHash, nonce, deadline).
    function proposeByGuardians(
        bytes32 patientId,
        Change calldata change,
        bytes calldata possession,
        uint48 deadline,
        bytes calldata signature
    ) external;

    /// @notice Proposes a change. By an OPERATOR of the custodian, with a REVIEWER of another member.
    /// @param possessions One of each key; PatientSigner or PatientGuardian(patientId, key, deadline), where the
    /// deadline is the reviewer's.
    /// @param reviewer Another person than the caller; signs PatientChange(patientId, changeHash, nonce, deadline).
    function proposeByCustodian(
        bytes32 patientId,
        Change calldata change,
        bytes[] calldata possessions,
        Cosigner calldata reviewer
    ) external;

    /// @notice Refuses the pending change. Relayed by anyone.
    /// @param signature Of the patient's signer if he has one, whatever his condition; else of his guardians; over
    /// Cancellation(patientId, changeHash, readyAt).
    function cancelChange(bytes32 patientId, bytes calldata signature) external;

    /// @notice Gives up the pending change. By an OPERATOR of the custodian.
    function withdrawChange(bytes32 patientId) external;

    /// @notice Lets the pending change take effect, after its delay. By anyone.
    /// @dev What loosens waits for one more delay after it: so long may who was passed over still object.
    function completeChange(bytes32 patientId, Change calldata change) external;

    /// @notice How long a change stays pending, and how long after it nothing may loosen; seconds.
    function RECOVERY_DELAY() external view returns (uint48);

    /// @notice The one ERC-7913 verifier that a passkey may name: with a second one, a key could serve two patients.
    function PASSKEY_VERIFIER() external view returns (address);

    /// @notice The pseudonym that `seed` gives at `custodian`.
    function patientIdOf(uint32 custodian, bytes32 seed) external pure returns (bytes32);

    /// @notice The patient. `custodian` is 0 for an unknown one.
    function patientOf(bytes32 patientId) external view returns (Patient memory);

    /// @notice The member that keeps this patient's records. Reverts with PatientUnknown.
    function custodianOf(bytes32 patientId) external view returns (uint32);

    /// @notice The custodian of a patient for whom nobody can sign, so that witnesses may loosen: he has no signer and no
    /// standing guardians, is not dead, and no change was made within one delay. Reverts otherwise.
    function requireUnable(bytes32 patientId) external view returns (uint32 custodian);

    /// @notice The patient whom `key` serves, and for what; zero and NONE if nobody.
    function patientOfKey(bytes calldata key) external view returns (bytes32 patientId, KeyUse use);

    /// @notice Until when `key` may give grants for the patient, Unix seconds; 0 if never.
    function delegateUntil(bytes32 patientId, bytes calldata key) external view returns (uint48);

    /// @notice Whether `key` is one of the patient's present guardians, expired or not.
    function isGuardian(bytes32 patientId, bytes calldata key) external view returns (bool);

    /// @notice The change that waits; zeros if none.
    function pendingChangeOf(bytes32 patientId) external view returns (PendingChange memory);

    /// @notice The patient's head: count and rolling digest of this registry's events about him.
    function headOf(bytes32 patientId) external view returns (uint256);

    /// @notice Reverts unless `signature` over `digest` is of who signs for the patient.
    /// @dev Asks the signer's contract where there is one (ERC-1271, ERC-7913), by a static call.
    /// @return custodian The patient's.
    /// @return actor Who signed.
    function requireSignature(
        bytes32 patientId,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (uint32 custodian, Actor actor);

    /// @notice As `requireSignature`, for acts that let others see more: refused for one delay after a change.
    function requireLoosening(
        bytes32 patientId,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (uint32 custodian, Actor actor);

    /// @notice Reverts unless `signature` over `digest` is of a delegate whose time lasts.
    /// @param loosens Whether the act lets others see more.
    /// @return custodian The patient's.
    function requireDelegate(
        bytes32 patientId,
        bytes32 digest,
        bytes calldata delegate,
        bytes calldata signature,
        bool loosens
    ) external view returns (uint32 custodian);
}

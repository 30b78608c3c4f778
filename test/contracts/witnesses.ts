// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { AbiCoder, id, keccak256 } from "ethers";
import { LeafKind } from "../../src/crypto/index.js";
import type { Hex, Leaf } from "../../src/crypto/index.js";
import {
  Role,
  WAITING_TIME,
  YEAR,
  anchorLeaves,
  ethers,
  networkHelpers,
  now,
  registerPatientWithoutSigner,
} from "./consortium.js";
import type { Consortium, TestEntry } from "./consortium.js";
import { deployWithEntries } from "./fixtures.js";
import { cosign } from "./pairs.js";
import type { PairAct, PairChanges } from "./pairs.js";

/** IConsentRegistry's WitnessedAct. */
export const WitnessedAct = { GRANT: 0, REVOCATION: 1, DENIAL: 2 } as const;
const WITNESSING_TYPES = {
  Witnessing: [
    { name: "act", type: "uint8" },
    { name: "patientId", type: "bytes32" },
    { name: "ref", type: "bytes32" },
    { name: "first", type: "address" },
    { name: "deadline", type: "uint48" },
  ],
};

/** The first of hardhat's accounts that serve nobody in `deployConsortium`. */
const FIRST_SPARE = 11;

/**
 * Staff past their waiting time: more of both hospitals than the consortium has, and persons with two accounts.
 * Hospital A also has a patient for whom nobody can sign.
 */
export async function deployWithStaff() {
  const consortium = await deployWithEntries();
  const spare = (await ethers.getSigners()).slice(FIRST_SPARE);
  const [releaserA, twinOfClinicianA, reviewerA, reviewerB, secondReviewerB] = spare as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const [twinOfReviewerA, secondClinicianB, contractKey] = spare.slice(5) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const walletA = await ethers.deployContract("ERC1271Wallet", [contractKey.address]);
  const walletB = await ethers.deployContract("ERC1271Wallet", [contractKey.address]);
  const notAfter = (await now()) + YEAR;
  const { members, adminA, adminB } = consortium;
  for (const [admin, memberId, account, role, person] of [
    [adminA, 1, releaserA, Role.RELEASER, "releaser A"],
    [adminA, 1, twinOfClinicianA, Role.OPERATOR, "clinician A"],
    [adminA, 1, walletA, Role.OPERATOR, "holder of a contract account A"],
    [adminB, 2, walletB, Role.REVIEWER, "holder of a contract account B"],
    [adminA, 1, reviewerA, Role.REVIEWER, "reviewer A"],
    [adminB, 2, reviewerB, Role.REVIEWER, "reviewer B"],
    [adminB, 2, secondReviewerB, Role.REVIEWER, "second reviewer B"],
    [adminB, 2, twinOfReviewerA, Role.REVIEWER, "reviewer A"],
    [adminB, 2, secondClinicianB, Role.CLINICIAN, "second clinician B"],
  ] as const) {
    const personId = id(`person ${person}`);
    const home = await members.homeOf(personId);
    // Who works at both.
    if (home === 1n && memberId === 2) await members.connect(adminA).sharePerson(personId, memberId);
    await members.connect(admin).enrolStaff(memberId, account, role, notAfter, personId);
  }
  const unable = await registerPatientWithoutSigner(consortium);
  await networkHelpers.time.increase(WAITING_TIME);
  return {
    ...consortium,
    releaserA,
    twinOfClinicianA,
    reviewerA,
    reviewerB,
    secondReviewerB,
    twinOfReviewerA,
    secondClinicianB,
    contractStaff: { account: await walletA.getAddress(), key: contractKey },
    contractReviewer: { account: await walletB.getAddress(), key: contractKey },
    unable,
  };
}
export type WithStaff = Awaited<ReturnType<typeof deployWithStaff>>;
export const loadWithStaff = () => networkHelpers.loadFixture(deployWithStaff);

/** One more leaf in hospital A's log, a consent document unless `changes` say otherwise. */
export async function anchorDocument(
  c: Consortium,
  patientId: string,
  ref: string,
  changes: Partial<Leaf> = {},
): Promise<TestEntry> {
  const leaf = { kind: LeafKind.CONSENT_DOCUMENT, ref: ref as Hex, ...changes };
  return (await anchorLeaves(c, patientId, 1, () => leaf))[0]!;
}

/** The two who witness unless a test says otherwise: both of hospital A. */
export function witnessesOf(f: WithStaff) {
  return { first: f.clinicianA, second: f.operatorA };
}

/** The second witness, who attests this act on paper. */
export async function attest(
  f: WithStaff,
  act: number,
  patientId: string,
  ref: string,
  changes: PairChanges = {},
) {
  const witnessing: PairAct = {
    contract: f.consents,
    name: "ConsentRegistry",
    types: WITNESSING_TYPES,
    value: { act, patientId, ref },
  };
  return await cosign(witnessing, witnessesOf(f), changes);
}

/** What a document refers to that attests a denial. */
export function denialRef(
  denyAll: boolean,
  denyEmergency: boolean,
  deniedCompartments: bigint,
  nonce: bigint,
): string {
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["bool", "bool", "uint64", "uint64"],
      [denyAll, denyEmergency, deniedCompartments, nonce],
    ),
  );
}

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { AbiCoder, dataSlice } from "ethers";
import type { SignedAct } from "./signature.js";
import { ethers, keySigner, networkHelpers, nextBlockAt } from "../consortium.js";
import type { PatientSigner } from "../consortium.js";
import { contractAccount, passkey } from "../contract-signers.js";
import {
  encodeGuardians,
  inOrder,
  newGuardians,
  registerWard,
  setGuardians,
  signedGuardianSet,
  together,
} from "../guardians.js";
import type { Ward, WithGuardians } from "../guardians.js";

export interface GuardedCase {
  load: () => Promise<WithGuardians>;
  /** An act for the ward, a patient without a key whose guardians are two of three. */
  prepare: (f: WithGuardians, ward: Ward) => Promise<SignedAct>;
}

/** An act that guardians sign for a patient without a key: enough of them, present ones, each once, in time. */
export function shouldRequireGuardians(test: GuardedCase): void {
  shouldTakeEnough(test);
  shouldRefuseOthers(test);
  shouldRefuseWrongShapes(test);
  shouldEndWithThem(test);
}

function signed({ domain, types, value }: SignedAct, signer: PatientSigner) {
  return signer.signTypedData(domain, types, value);
}

async function refuses(
  f: WithGuardians,
  act: SignedAct,
  signature: string,
  error: string,
  args: readonly unknown[] = [act.patientId],
) {
  await expect(act.act(signature))
    .to.be.revertedWithCustomError(f.patients, error)
    .withArgs(...args);
}

function shouldTakeEnough({ load, prepare }: GuardedCase): void {
  describe("when guardians sign for a patient without a key", () => {
    it("should pass with any two of the three, in any order, and with all", async () => {
      for (const places of [
        [0, 1],
        [2, 0],
        [1, 2],
        [2, 1, 0],
      ]) {
        const f = await load();
        const act = await prepare(f, f.ward);
        await act.act(await signed(act, together(...places.map((place) => f.ward.guardians[place]!))));
      }
    });

    it("should pass with a passkey and a contract account among them", async () => {
      const f = await load();
      const guardians = inOrder([await passkey(f), (await contractAccount()).signer]);
      const act = await prepare(f, await registerWard(f, guardians));
      await act.act(await signed(act, together(...guardians)));
    });
  });

  describe("when fewer guardians sign than must", () => {
    it("should revert with GuardiansTooFew", async () => {
      const f = await load();
      const act = await prepare(f, f.ward);
      const one = await signed(act, together(f.ward.guardians[0]!));
      await refuses(f, act, one, "GuardiansTooFew", [1, 2]);
      await refuses(f, act, encodeGuardians([], []), "GuardiansTooFew", [0, 2]);
    });
  });
}

function shouldRefuseOthers({ load, prepare }: GuardedCase): void {
  describe("when one guardian signs twice", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await load();
      const act = await prepare(f, f.ward);
      const [one, other] = f.ward.guardians as [PatientSigner, PatientSigner];
      await refuses(f, act, await signed(act, together(one, one)), "SignatureInvalid");
      await refuses(f, act, await signed(act, together(other, one, other)), "SignatureInvalid");
    });
  });

  describe("when a stranger, or a guardian of another patient, signs beside a guardian", () => {
    it("should revert with NotGuardian", async () => {
      const f = await load();
      const act = await prepare(f, f.ward);
      for (const other of [keySigner(), f.holder.guardians[0]!, f.holder.signer]) {
        const signature = await signed(act, together(f.ward.guardians[0]!, other));
        await refuses(f, act, signature, "NotGuardian", [f.ward.patientId, other.bytes]);
      }
    });
  });

  describe("when guardians of a former set sign", () => {
    it("should revert with NotGuardian", async () => {
      const f = await load();
      const { patientId, guardians, group } = f.ward;
      const kept = guardians[2]!;
      await setGuardians(
        f,
        await signedGuardianSet(f, patientId, group, inOrder([kept, ...newGuardians(1)])),
      );
      const act = await prepare(f, f.ward);
      const signature = await signed(act, together(kept, guardians[0]!));
      await refuses(f, act, signature, "NotGuardian", [patientId, guardians[0]!.bytes]);
    });
  });

  describe("when another key signed in a guardian's name", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await load();
      const act = await prepare(f, f.ward);
      const [one, other] = f.ward.guardians as [PatientSigner, PatientSigner];
      const forged = { ...keySigner(), bytes: other.bytes };
      await refuses(f, act, await signed(act, together(one, forged)), "SignatureInvalid");
      await refuses(
        f,
        act,
        await signed(act, together(one, other, { ...one, bytes: other.bytes })),
        "SignatureInvalid",
      );
    });
  });

  describe("when guardians signed for another contract or chain", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await load();
      const act = await prepare(f, f.ward);
      for (const elsewhere of [{ chainId: 1 }, { verifyingContract: await f.members.getAddress() }]) {
        const there = { ...act, domain: { ...act.domain, ...elsewhere } };
        await refuses(f, act, await signed(there, f.ward.group), "SignatureInvalid");
      }
    });
  });
}

function shouldRefuseWrongShapes({ load, prepare }: GuardedCase): void {
  describe("when there are more guardians than signatures, or more signatures", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await load();
      const act = await prepare(f, f.ward);
      const guardians = f.ward.guardians.slice(0, 2);
      const keys = guardians.map(({ bytes }) => bytes);
      const signatures = await Promise.all(guardians.map((guardian) => signed(act, guardian)));
      await refuses(f, act, encodeGuardians(keys, signatures.slice(1)), "SignatureInvalid");
      await refuses(f, act, encodeGuardians(keys, [...signatures, "0x"]), "SignatureInvalid");
    });
  });

  describe("when the guardians' signatures are not encoded as two lists", () => {
    it("should revert without a reason", async () => {
      const f = await load();
      const act = await prepare(f, f.ward);
      const whole = await signed(act, f.ward.group);
      const vast = AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [2n ** 255n, 2n ** 255n]);
      const single = await signed(act, f.ward.guardians[0]!);
      for (const signature of ["0x", dataSlice(whole, 0, 96), vast, single]) {
        await expect(act.act(signature)).to.be.revertedWithoutReason(ethers);
      }
    });
  });
}

function shouldEndWithThem({ load, prepare }: GuardedCase): void {
  describe("given the guardians ended a second ago", () => {
    it("should revert with GuardiansExpired", async () => {
      const f = await load();
      await networkHelpers.time.increaseTo(f.ward.until + 1);
      const act = await prepare(f, f.ward);
      const signature = await signed(act, f.ward.group);
      await refuses(f, act, signature, "GuardiansExpired", [f.ward.patientId, f.ward.until]);
    });
  });

  describe("given the guardians end this second", () => {
    it("should pass", async () => {
      const f = await load();
      await networkHelpers.time.increaseTo(f.ward.until - 120);
      const act = await prepare(f, f.ward);
      const signature = await signed(act, f.ward.group);
      await nextBlockAt(f.ward.until);
      await act.act(signature);
    });
  });

  describe("given the guardians were ended", () => {
    it("should revert with PatientHasNoSigner", async () => {
      const f = await load();
      const { patientId, group } = f.ward;
      await setGuardians(f, await signedGuardianSet(f, patientId, group, []));
      const act = await prepare(f, f.ward);
      await refuses(f, act, await signed(act, group), "PatientHasNoSigner");
    });
  });
}

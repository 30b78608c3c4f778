// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import {
  ALL_COMPARTMENTS,
  DIRECTIVE_TYPES,
  GivenBy,
  domain,
  keySigner,
  ethers,
  nextBlockAt,
  now,
  registerPatient,
  registerSigner,
} from "../consortium.js";
import { callDirtied } from "../dirty-words.js";
import { loadConsortium, loadWithPatient } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";
import { directiveFor, sendDirective, setDirective, signDirective } from "../patient-acts.js";
import { completeChange, registerGuarded } from "../proxies.js";
import { loadWithStaff } from "../witnesses.js";
import type { WithStaff } from "../witnesses.js";

const LAST_COMPARTMENT = 1n << 63n;

type Denials = readonly [denyAll: boolean, denyEmergency: boolean, deniedCompartments: bigint];

/** The patient denied this, then lost his key; the new one signs for less than a delay. */
async function replaceKey(f: WithStaff) {
  const { patientId } = f.patient;
  await setDirective(f, f.patient, { denyAll: true, denyEmergency: true, deniedCompartments: 5n });
  const signer = keySigner();
  const { loosensFrom } = await completeChange(f, patientId, { kind: "SIGNER", signer });
  const set = async ([denyAll, denyEmergency, deniedCompartments]: Denials) => {
    const directive = await directiveFor(f, patientId, { denyAll, denyEmergency, deniedCompartments });
    const separator = await domain(f.consents, "ConsentRegistry");
    const signature = await signer.signTypedData(separator, DIRECTIVE_TYPES, directive);
    return () => sendDirective(f, directive, signature);
  };
  return { patientId, loosensFrom, set };
}

describe("ConsentRegistry.setDirective", () => {
  shouldRequireSigningPatient(loadWithPatient, async (f, patientId) =>
    sendDirective(f, await directiveFor(f, patientId), "0x"),
  );

  shouldRequireSignature(loadConsortium, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    const directive = await directiveFor(f, patientId, { denyAll: true });
    return {
      patientId,
      domain: await domain(f.consents, "ConsentRegistry"),
      types: DIRECTIVE_TYPES,
      value: directive,
      act: (signature) => sendDirective(f, directive, signature),
    };
  });

  describe("when any field differs from what was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      const directive = await directiveFor(f, f.patient.patientId);
      const signature = await signDirective(f, f.patient, directive);
      for (const change of [
        { denyAll: true },
        { denyEmergency: true },
        { deniedCompartments: 1n },
        { deadline: directive.deadline + 1 },
      ]) {
        await expect(sendDirective(f, { ...directive, ...change }, signature), Object.keys(change)[0])
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(f.patient.patientId);
      }
    });
  });

  describe("when a directive is sent again", () => {
    it("should revert with SignatureInvalid, also after it was replaced", async () => {
      const f = await loadWithPatient();
      const directive = await directiveFor(f, f.patient.patientId, { denyAll: true });
      const signature = await signDirective(f, f.patient, directive);
      await sendDirective(f, directive, signature);
      const replay = () =>
        expect(sendDirective(f, directive, signature))
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(f.patient.patientId);
      await replay();
      await setDirective(f, f.patient);
      await replay();
    });
  });

  describe("when the nonce is not the next", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithPatient();
      await setDirective(f, f.patient);
      for (const nonce of [0n, 2n]) {
        await expect(setDirective(f, f.patient, { nonce }))
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(f.patient.patientId);
      }
    });
  });

  describe("when the deadline has passed", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithPatient();
      const deadline = (await now()) + 600;
      const directive = await directiveFor(f, f.patient.patientId, { deadline });
      const signature = await signDirective(f, f.patient, directive);
      await nextBlockAt(deadline + 1);
      await expect(sendDirective(f, directive, signature))
        .to.be.revertedWithCustomError(f.consents, "DeadlinePassed")
        .withArgs(deadline);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await loadWithPatient();
      const deadline = (await now()) + 600;
      const directive = await directiveFor(f, f.patient.patientId, { deadline });
      const signature = await signDirective(f, f.patient, directive);
      await nextBlockAt(deadline);
      await sendDirective(f, directive, signature);
    });
  });

  describe("when an argument has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithPatient();
      const { patientId, deadline } = await directiveFor(f, f.patient.patientId);
      const args = [patientId, false, false, 0n, deadline, "0x"] as const;
      const data = f.consents.interface.encodeFunctionData("setDirective", [...args]);
      const call = { from: f.relay, to: await f.consents.getAddress(), data };
      for (const word of [1, 2, 3, 4])
        await expect(callDirtied(call, word)).to.be.revertedWithoutReason(ethers);
    });
  });

  describe("when the patient signed the next directive", () => {
    it("should store it with the following nonce", async () => {
      const f = await loadWithPatient();
      const directive = await directiveFor(f, f.patient.patientId, {
        denyEmergency: true,
        deniedCompartments: LAST_COMPARTMENT,
      });
      const signature = await signDirective(f, f.patient, directive);
      const setAt = await nextBlockAt();
      await sendDirective(f, directive, signature);
      expect(await f.consents.directiveOf(f.patient.patientId)).to.deep.equal([
        false,
        true,
        LAST_COMPARTMENT,
        1n,
        BigInt(setAt),
      ]);
    });

    it("should emit DirectiveSet with the nonce it was signed with", async () => {
      const f = await loadWithPatient();
      for (const nonce of [0n, 1n]) {
        const directive = await directiveFor(f, f.patient.patientId, {
          denyAll: true,
          deniedCompartments: 5n,
        });
        const signature = await signDirective(f, f.patient, directive);
        const setAt = await nextBlockAt();
        await expect(sendDirective(f, directive, signature))
          .to.emit(f.consents, "DirectiveSet")
          .withArgs(f.patient.patientId, true, false, 5n, nonce, GivenBy.PATIENT, setAt);
      }
    });

    it("should replace the former directive as a whole", async () => {
      const f = await loadWithPatient();
      await setDirective(f, f.patient, {
        denyAll: true,
        denyEmergency: true,
        deniedCompartments: ALL_COMPARTMENTS,
      });
      await setDirective(f, f.patient);
      expect((await f.consents.directiveOf(f.patient.patientId)).slice(0, 4)).to.deep.equal([
        false,
        false,
        0n,
        2n,
      ]);
    });

    it("should leave another patient's directive alone", async () => {
      const f = await loadWithPatient();
      const other = await registerPatient(f);
      await setDirective(f, f.patient, { denyAll: true });
      expect(await f.consents.directiveOf(other.patientId)).to.deep.equal([false, false, 0n, 0n, 0n]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithPatient();
      for (const changes of [{ denyAll: true }, {}, {}]) {
        await expectHeadAdvance(f.consents, f.patient.patientId, () => setDirective(f, f.patient, changes));
      }
    });
  });

  describe("given guardians sign for the patient", () => {
    it("should emit DirectiveSet by the guardians", async () => {
      const f = await loadWithStaff();
      const { patientId, wallet } = await registerGuarded(f);
      const directive = await directiveFor(f, patientId, { denyEmergency: true });
      const separator = await domain(f.consents, "ConsentRegistry");
      const signature = await wallet.signTypedData(separator, DIRECTIVE_TYPES, directive);
      const setAt = await nextBlockAt();
      await expect(sendDirective(f, directive, signature))
        .to.emit(f.consents, "DirectiveSet")
        .withArgs(patientId, false, true, 0n, 0n, GivenBy.GUARDIANS, setAt);
    });
  });

  describe("given a change of the patient took effect less than a delay ago", () => {
    it("should revert with LoosensLater when any denial is dropped, whatever is added", async () => {
      const f = await loadWithStaff();
      const { patientId, loosensFrom, set } = await replaceKey(f);
      for (const denial of [
        [false, true, 5n],
        [true, false, 5n],
        [true, true, 4n],
        [true, true, ALL_COMPARTMENTS & ~4n],
        [false, false, 0n],
      ] as Denials[]) {
        const act = await set(denial);
        await expect(act(), denial.join())
          .to.be.revertedWithCustomError(f.patients, "LoosensLater")
          .withArgs(patientId, loosensFrom);
      }
    });

    it("should pass when denials are added or stay as they are", async () => {
      const f = await loadWithStaff();
      const { patientId, set } = await replaceKey(f);
      for (const denied of [5n, ALL_COMPARTMENTS]) {
        const act = await set([true, true, denied]);
        await act();
      }
      expect((await f.consents.directiveOf(patientId)).slice(0, 4)).to.deep.equal([
        true,
        true,
        ALL_COMPARTMENTS,
        3n,
      ]);
    });
  });

  describe("given a change of the patient took effect a delay ago, to the second", () => {
    it("should revert with LoosensLater a second before, and pass then", async () => {
      const f = await loadWithStaff();
      const { patientId, loosensFrom, set } = await replaceKey(f);
      const act = await set([false, false, 0n]);
      await nextBlockAt(loosensFrom - 1);
      await expect(act())
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(patientId, loosensFrom);
      await nextBlockAt(loosensFrom);
      await act();
    });
  });
});

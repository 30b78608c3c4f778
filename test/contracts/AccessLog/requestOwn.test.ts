// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroAddress, ZeroHash, id } from "ethers";
import { accessIdOf, requestScope } from "../accesses.js";
import { Basis } from "../bases.js";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import {
  ALL_COMPARTMENTS,
  Extent,
  Purpose,
  domain,
  ethers,
  keySigner,
  nextBlockAt,
  now,
  registerPatient,
  registerSigner,
} from "../consortium.js";
import { callDirtied } from "../dirty-words.js";
import { loadWithEntries, loadWithGrant } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";
import {
  OWN_REQUEST_TYPES,
  ownRequestFor,
  requestOwn,
  scopeOf,
  sendOwnRequest,
  signOwnRequest,
} from "../own-requests.js";
import { setDirective } from "../patient-acts.js";
import { appointDelegate, completeChange, registerGuarded } from "../proxies.js";
import { loadWithStaff } from "../witnesses.js";

/** Argument words: the extent and the scope's four behind the patient, the deadline behind the recipient's key. */
const SMALL_WORDS = [1, 2, 3, 4, 5, 7];

describe("AccessLog.requestOwn", () => {
  shouldRequireSigningPatient(loadWithEntries, async (f, patientId) =>
    sendOwnRequest(f, await ownRequestFor(f, patientId), "0x"),
  );

  shouldRequireSignature(loadWithEntries, async (f, signer) => {
    const { patientId } = await registerSigner(f, signer);
    const request = await ownRequestFor(f, patientId);
    return {
      patientId,
      domain: await domain(f.accessLog, "AccessLog"),
      types: OWN_REQUEST_TYPES,
      value: request,
      act: (signature) => sendOwnRequest(f, request, signature),
    };
  });

  describe("when any field differs from what was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithEntries();
      const { patientId, wallet } = f.patient;
      const request = await ownRequestFor(f, patientId);
      const signature = await signOwnRequest(f, wallet, request);
      for (const change of [
        { extent: Extent.INDEX },
        { compartments: 1n },
        { recordedFrom: 1 },
        { recordedTo: request.recordedTo + 1 },
        { upTo: 9 },
        { recipientKey: id("a thief's key") },
        { deadline: request.deadline + 1 },
      ]) {
        await expect(sendOwnRequest(f, { ...request, ...change }, signature), Object.keys(change)[0])
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(patientId);
      }
    });
  });

  describe("when a request is sent again", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithEntries();
      const { patientId, wallet } = f.patient;
      const request = await ownRequestFor(f, patientId);
      const signature = await signOwnRequest(f, wallet, request);
      await sendOwnRequest(f, request, signature);
      await expect(sendOwnRequest(f, request, signature))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(patientId);
    });
  });

  describe("when the nonce is not the next", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithEntries();
      await requestOwn(f, f.patient);
      for (const nonce of [0n, 2n]) {
        await expect(requestOwn(f, f.patient, { nonce }))
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(f.patient.patientId);
      }
    });
  });

  describe("when the patient's delegate signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithEntries();
      const wallet = await appointDelegate(f, f.patient);
      await expect(requestOwn(f, { ...f.patient, wallet }))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(f.patient.patientId);
    });
  });

  describe("when the deadline passed a second ago", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithEntries();
      const deadline = (await now()) + 600;
      await nextBlockAt(deadline + 1);
      await expect(requestOwn(f, f.patient, { deadline }))
        .to.be.revertedWithCustomError(f.accessLog, "DeadlinePassed")
        .withArgs(deadline);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await loadWithEntries();
      const deadline = (await now()) + 600;
      await nextBlockAt(deadline);
      await requestOwn(f, f.patient, { deadline });
    });
  });

  describe("when the recipient's key is zero", () => {
    it("should revert with RecipientKeyZero", async () => {
      const f = await loadWithEntries();
      await expect(requestOwn(f, f.patient, { recipientKey: ZeroHash })).to.be.revertedWithCustomError(
        f.accessLog,
        "RecipientKeyZero",
      );
    });
  });

  describe("when the scope holds no compartment", () => {
    it("should revert with CompartmentsNotPermitted", async () => {
      const f = await loadWithEntries();
      await expect(requestOwn(f, f.patient, { compartments: 0n }))
        .to.be.revertedWithCustomError(f.accessLog, "CompartmentsNotPermitted")
        .withArgs(0, ALL_COMPARTMENTS);
    });
  });

  describe("when the period ends before it begins", () => {
    it("should revert with PeriodNotGranted", async () => {
      const f = await loadWithEntries();
      await expect(requestOwn(f, f.patient, { recordedFrom: 2, recordedTo: 1 }))
        .to.be.revertedWithCustomError(f.accessLog, "PeriodNotGranted")
        .withArgs(2, 1);
    });
  });

  describe("when the scope reaches beyond the custodian's log", () => {
    it("should revert with BeyondHead", async () => {
      const f = await loadWithEntries();
      for (const upTo of [11n, 2n ** 64n - 1n]) {
        await expect(requestOwn(f, f.patient, { upTo }))
          .to.be.revertedWithCustomError(f.accessLog, "BeyondHead")
          .withArgs(upTo, 10);
      }
    });
  });

  describe("given a patient of another custodian", () => {
    it("should measure the scope by that custodian's log", async () => {
      const f = await loadWithEntries();
      const patient = await registerPatient(f, f.operatorB, 2);
      await expect(requestOwn(f, patient, { upTo: 1 }))
        .to.be.revertedWithCustomError(f.accessLog, "BeyondHead")
        .withArgs(1, 0);
      await requestOwn(f, patient, { upTo: 0 });
    });
  });

  describe("given the patient's directive denies everything", () => {
    it("should pass: it binds others", async () => {
      const f = await loadWithEntries();
      await setDirective(f, f.patient, {
        denyAll: true,
        denyEmergency: true,
        deniedCompartments: ALL_COMPARTMENTS,
      });
      await requestOwn(f, f.patient);
    });
  });

  describe("given the patient's key was replaced by a change less than a delay ago", () => {
    it("should revert with LoosensLater until then", async () => {
      const f = await loadWithStaff();
      const { patientId } = f.patient;
      const wallet = keySigner();
      const { loosensFrom } = await completeChange(f, patientId, { kind: "SIGNER", signer: wallet });
      await nextBlockAt(loosensFrom - 1);
      await expect(requestOwn(f, { patientId, wallet }))
        .to.be.revertedWithCustomError(f.patients, "LoosensLater")
        .withArgs(patientId, loosensFrom);
      await nextBlockAt(loosensFrom);
      await requestOwn(f, { patientId, wallet });
    });
  });

  describe("given guardians sign for the patient", () => {
    it("should pass when they signed", async () => {
      const f = await loadWithStaff();
      await requestOwn(f, await registerGuarded(f));
    });
  });

  describe("when an argument has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithEntries();
      const { patientId, wallet } = f.patient;
      const request = await ownRequestFor(f, patientId, { compartments: 1n });
      const { extent, recipientKey, deadline } = request;
      const data = f.accessLog.interface.encodeFunctionData("requestOwn", [
        patientId,
        extent,
        scopeOf(request),
        recipientKey,
        deadline,
        await signOwnRequest(f, wallet, request),
      ]);
      const call = { from: f.relay, to: await f.accessLog.getAddress(), data };
      for (const word of SMALL_WORDS)
        await expect(callDirtied(call, word), `word ${word}`).to.be.revertedWithoutReason(ethers);
    });
  });

  describe("when the patient signed a scope within the log", () => {
    it("should emit ScopeRequested without a reader, on the basis PATIENT, sealed to his key", async () => {
      const f = await loadWithGrant();
      for (const [position, extent] of [Extent.INDEX, Extent.CHART].entries()) {
        const request = await ownRequestFor(f, f.patient.patientId, { extent });
        const signature = await signOwnRequest(f, f.patient.wallet, request);
        const requestedAt = await nextBlockAt();
        await expect(sendOwnRequest(f, request, signature))
          .to.emit(f.accessLog, "ScopeRequested")
          .withArgs(
            await accessIdOf(f, position + 1),
            request.patientId,
            ZeroAddress,
            [0, Basis.PATIENT, request.recipientKey, Purpose.PATRQT, requestedAt],
            extent,
            Object.values(scopeOf(request)),
          );
      }
    });

    it("should return the access id, counted with the accesses of others", async () => {
      const f = await loadWithGrant();
      await requestScope(f);
      const request = await ownRequestFor(f, f.patient.patientId);
      const { patientId, extent, recipientKey, deadline } = request;
      const signature = await signOwnRequest(f, f.patient.wallet, request);
      const accessId = await f.accessLog.requestOwn.staticCall(
        patientId,
        extent,
        scopeOf(request),
        recipientKey,
        deadline,
        signature,
      );
      expect(accessId).to.equal(await accessIdOf(f, 2));
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithEntries();
      for (const extent of [Extent.INDEX, Extent.CHART]) {
        await expectHeadAdvance(f.accessLog, f.patient.patientId, () => requestOwn(f, f.patient, { extent }));
      }
    });

    it("should take one compartment, one day and an empty log", async () => {
      const f = await loadWithEntries();
      await requestOwn(f, f.patient, {
        compartments: 1n << 63n,
        recordedFrom: 2 ** 32 - 1,
        recordedTo: 2 ** 32 - 1,
        upTo: 0,
      });
    });
  });
});

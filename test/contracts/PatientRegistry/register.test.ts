// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { ZeroHash, concat, dataSlice, hexlify } from "ethers";
import { shouldRequireSignature } from "../behaviours/signature.js";
import { shouldRequireStaff } from "../behaviours/staff.js";
import {
  KeyUse,
  PATIENT_SIGNER_TYPES,
  YEAR,
  domain,
  ethers,
  keySigner,
  networkHelpers,
  nextBlockAt,
  now,
  plainPatient,
} from "../consortium.js";
import type { Consortium, PatientSigner } from "../consortium.js";
import { contractAccount, passkey } from "../contract-signers.js";
import { callDirtied } from "../dirty-words.js";
import { loadConsortium, loadWithPatient } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";

const EMPTY = "0x";

/** A registration at hospital A that succeeds as it stands. */
async function registration(f: Consortium, signer: PatientSigner = keySigner()) {
  const seed = hexlify(randomBytes(32));
  const patientId = await f.patients.patientIdOf(1, seed);
  const value = { patientId, key: signer.bytes, deadline: (await now()) + 600 };
  const possession = await signer.signTypedData(
    await domain(f.patients, "PatientRegistry"),
    PATIENT_SIGNER_TYPES,
    value,
  );
  return { seed, patientId, signer: signer.bytes, possession, deadline: value.deadline };
}

function register(f: Consortium, r: Awaited<ReturnType<typeof registration>>, as = f.operatorA) {
  return f.patients.connect(as).register(r.seed, r.signer, r.possession, r.deadline);
}

describe("PatientRegistry.register", () => {
  shouldRequireStaff({
    load: loadConsortium,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: async (f, as) => register(f, await registration(f), as),
  });

  shouldRequireSignature(loadConsortium, async (f, signer) => {
    const r = await registration(f, keySigner());
    return {
      patientId: r.patientId,
      domain: await domain(f.patients, "PatientRegistry"),
      types: PATIENT_SIGNER_TYPES,
      value: { patientId: r.patientId, key: signer.bytes, deadline: r.deadline },
      act: (possession) => register(f, { ...r, signer: signer.bytes, possession }),
    };
  });

  describe("given the patient is registered already", () => {
    it("should revert with PatientAlreadyRegistered", async () => {
      const f = await loadWithPatient();
      const again = { ...(await registration(f)), seed: f.patient.seed };
      for (const signer of [again.signer, EMPTY]) {
        await expect(register(f, { ...again, signer }))
          .to.be.revertedWithCustomError(f.patients, "PatientAlreadyRegistered")
          .withArgs(f.patient.patientId);
      }
    });
  });

  describe("given another member took the same seed first", () => {
    it("should register the patient under the own pseudonym", async () => {
      const f = await loadConsortium();
      const r = await registration(f);
      await register(f, { ...r, signer: EMPTY }, f.operatorB);
      await register(f, r);
      expect(await f.patients.custodianOf(r.patientId)).to.equal(1);
      expect(await f.patients.custodianOf(await f.patients.patientIdOf(2, r.seed))).to.equal(2);
    });
  });

  describe("when another member's operator sends the registration", () => {
    it("should revert with SignatureInvalid for that member's pseudonym", async () => {
      const f = await loadConsortium();
      const r = await registration(f);
      await expect(register(f, r, f.operatorB))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(await f.patients.patientIdOf(2, r.seed));
    });
  });

  describe("when the signer is neither an account nor a passkey", () => {
    it("should revert with KeyUnsupported", async () => {
      const f = await loadConsortium();
      const verifier = await f.passkeys.getAddress();
      const { bytes } = await passkey(f);
      for (const signer of [
        hexlify(randomBytes(1)),
        hexlify(randomBytes(19)),
        hexlify(randomBytes(21)),
        dataSlice(bytes, 0, 83),
        concat([bytes, "0x00"]),
        concat([keySigner().bytes, dataSlice(bytes, 20)]),
        concat([verifier, randomBytes(32)]),
      ]) {
        await expect(register(f, { ...(await registration(f)), signer }))
          .to.be.revertedWithCustomError(f.patients, "KeyUnsupported")
          .withArgs(signer.toLowerCase());
      }
    });
  });

  describe("when the signer's contract reverts, or answers with something else", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadConsortium();
      // PUSH0 PUSH0 REVERT; 32 zero bytes; the ERC-1271 answer cut to four bytes; no answer.
      for (const code of ["0x5f5ffd", "0x60205ff3", "0x631626ba7e60e01b5f5260045ff3", "0x00"]) {
        await networkHelpers.setCode(f.outsider.address, code);
        const r = await registration(f);
        await expect(register(f, { ...r, signer: f.outsider.address }), code)
          .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
          .withArgs(r.patientId);
      }
    });
  });

  describe("when the deadline has passed", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadConsortium();
      const r = await registration(f);
      await nextBlockAt(r.deadline + 1);
      await expect(register(f, r))
        .to.be.revertedWithCustomError(f.patients, "DeadlinePassed")
        .withArgs(r.deadline);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await loadConsortium();
      const r = await registration(f);
      await nextBlockAt(r.deadline);
      await register(f, r);
    });
  });

  describe("when the deadline is another than the signed one", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadConsortium();
      const r = await registration(f);
      await expect(register(f, { ...r, deadline: r.deadline + 1 }))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(r.patientId);
    });
  });

  describe("given the signer serves another patient", () => {
    it("should revert with KeyInUse, for a key, a contract account and a passkey", async () => {
      const f = await loadConsortium();
      for (const signer of [keySigner(), (await contractAccount()).signer, await passkey(f)]) {
        const first = await registration(f, signer);
        await register(f, first);
        await expect(register(f, await registration(f, signer)))
          .to.be.revertedWithCustomError(f.patients, "KeyInUse")
          .withArgs(signer.bytes, first.patientId);
      }
    });
  });

  describe("given the signer serves a patient of another member", () => {
    it("should revert with KeyInUse", async () => {
      const f = await loadWithPatient();
      const seed = hexlify(randomBytes(32));
      const signer = f.patient.wallet.address.toLowerCase();
      await expect(f.patients.connect(f.operatorB).register(seed, signer, EMPTY, (await now()) + YEAR))
        .to.be.revertedWithCustomError(f.patients, "KeyInUse")
        .withArgs(signer, f.patient.patientId);
    });
  });

  describe("when the deadline has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await loadConsortium();
      const { seed, signer, possession, deadline } = await registration(f);
      const data = f.patients.interface.encodeFunctionData("register", [seed, signer, possession, deadline]);
      const call = { from: f.operatorA, to: await f.patients.getAddress(), data };
      await expect(callDirtied(call, 3)).to.be.revertedWithoutReason(ethers);
    });
  });

  describe("when the patient has a signer", () => {
    it("should store custodian, time and signer, and whose the signer is", async () => {
      const f = await loadConsortium();
      const r = await registration(f);
      const registeredAt = await nextBlockAt();
      await register(f, r);
      expect(await f.patients.patientOf(r.patientId)).to.deep.equal(plainPatient(registeredAt, r.signer));
      expect(await f.patients.patientOfKey(r.signer)).to.deep.equal([r.patientId, KeyUse.SIGNER]);
    });

    it("should emit PatientRegistered", async () => {
      const f = await loadConsortium();
      const r = await registration(f);
      const registeredAt = await nextBlockAt();
      await expect(register(f, r))
        .to.emit(f.patients, "PatientRegistered")
        .withArgs(r.patientId, 1, r.seed, r.signer, registeredAt);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadConsortium();
      for (const signer of [keySigner(), await passkey(f)]) {
        const r = await registration(f, signer);
        await expectHeadAdvance(f.patients, r.patientId, () => register(f, r));
      }
    });
  });

  describe("when the patient has no signer", () => {
    it("should register him whatever signature and deadline say", async () => {
      const f = await loadConsortium();
      const r = { ...(await registration(f)), signer: EMPTY, possession: "0x1234", deadline: 0 };
      const registeredAt = await nextBlockAt();
      await expect(register(f, r))
        .to.emit(f.patients, "PatientRegistered")
        .withArgs(r.patientId, 1, r.seed, EMPTY, registeredAt);
      expect(await f.patients.patientOf(r.patientId)).to.deep.equal(plainPatient(registeredAt, EMPTY));
      expect(await f.patients.patientOfKey(EMPTY)).to.deep.equal([ZeroHash, KeyUse.NONE]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadConsortium();
      const r = { ...(await registration(f)), signer: EMPTY };
      await expectHeadAdvance(f.patients, r.patientId, () => register(f, r));
    });

    it("should take any number of such patients", async () => {
      const f = await loadConsortium();
      await register(f, { ...(await registration(f)), signer: EMPTY });
      await register(f, { ...(await registration(f)), signer: EMPTY });
    });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { hexlify } from "ethers";
import { shouldRequireSet } from "../behaviours/guardian-sets.js";
import { shouldRequireStaff } from "../behaviours/staff.js";
import { KeyUse, YEAR, nextBlockAt, now } from "../consortium.js";
import { contractAccount, passkey } from "../contract-signers.js";
import { guardianSet, inOrder, loadWithGuardians, newGuardians } from "../guardians.js";
import type { WithGuardians } from "../guardians.js";
import { countOf, headFromLogs } from "../heads.js";

const EMPTY = "0x";
const SEED = hexlify(randomBytes(32));

/** A child of hospital A with two guardians, as it registers. */
async function registration(f: WithGuardians, guardians = newGuardians(2)) {
  const seed = hexlify(randomBytes(32));
  const patientId = await f.patients.patientIdOf(1, seed);
  return { seed, patientId, ...(await guardianSet(f, patientId, guardians)) };
}
type Registration = Awaited<ReturnType<typeof registration>>;

function register(f: WithGuardians, r: Omit<Registration, "patientId">, as = f.operatorA) {
  return f.patients.connect(as).registerWithGuardians(r.seed, r.set, r.deadline);
}

describe("PatientRegistry.registerWithGuardians", () => {
  shouldRequireStaff({
    load: loadWithGuardians,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: async (f, as) => register(f, await registration(f), as),
  });

  shouldRequireSet({
    patientOf: (f) => f.patients.patientIdOf(1, SEED),
    send: (f, { set, deadline }) => register(f, { seed: SEED, set, deadline }),
  });

  describe("when there are no guardians", () => {
    it("should revert with GuardiansInvalid", async () => {
      const f = await loadWithGuardians();
      await expect(register(f, await registration(f, [])))
        .to.be.revertedWithCustomError(f.patients, "GuardiansInvalid")
        .withArgs(0, 0);
    });
  });

  describe("given the patient is registered already", () => {
    it("should revert with PatientAlreadyRegistered", async () => {
      const f = await loadWithGuardians();
      const r = await registration(f);
      await f.patients.connect(f.operatorA).register(r.seed, EMPTY, EMPTY, 0);
      await expect(register(f, r))
        .to.be.revertedWithCustomError(f.patients, "PatientAlreadyRegistered")
        .withArgs(r.patientId);
    });
  });

  describe("when another member's operator sends the registration", () => {
    it("should revert with SignatureInvalid for that member's pseudonym", async () => {
      const f = await loadWithGuardians();
      const r = await registration(f);
      await expect(register(f, r, f.operatorB))
        .to.be.revertedWithCustomError(f.patients, "SignatureInvalid")
        .withArgs(await f.patients.patientIdOf(2, r.seed));
    });
  });

  describe("when an operator registers a patient with guardians", () => {
    it("should emit PatientRegistered without a signer, then GuardiansSet", async () => {
      const f = await loadWithGuardians();
      const r = await registration(f);
      const at = await nextBlockAt();
      const sending = register(f, r);
      await expect(sending)
        .to.emit(f.patients, "PatientRegistered")
        .withArgs(r.patientId, 1, r.seed, EMPTY, at);
      await expect(sending)
        .to.emit(f.patients, "GuardiansSet")
        .withArgs(r.patientId, 1, r.set.guardians, 2, r.set.until, at);
    });

    it("should store custodian, time and guardians", async () => {
      const f = await loadWithGuardians();
      const r = await registration(f);
      const at = await nextBlockAt();
      await register(f, r);
      const patient = [1n, BigInt(at), 0n, 2n, 1n, BigInt(r.set.until), 0n, 0n, EMPTY];
      expect(await f.patients.patientOf(r.patientId)).to.deep.equal(patient);
      for (const key of r.set.guardians) {
        expect(await f.patients.isGuardian(r.patientId, key)).to.equal(true);
        expect(await f.patients.patientOfKey(key)).to.deep.equal([r.patientId, KeyUse.GUARDIAN]);
      }
    });

    it("should take eight of any kind, all of whom must sign", async () => {
      const f = await loadWithGuardians();
      const patientId = await f.patients.patientIdOf(1, SEED);
      const guardians = inOrder([await passkey(f), (await contractAccount()).signer, ...newGuardians(6)]);
      const until = (await now()) + 18 * YEAR;
      const s = await guardianSet(f, patientId, guardians, { threshold: 8, until });
      await register(f, { seed: SEED, ...s });
      expect((await f.patients.patientOf(patientId)).threshold).to.equal(8);
    });

    it("should advance the patient's head by both events", async () => {
      const f = await loadWithGuardians();
      const r = await registration(f);
      await register(f, r);
      const head = await f.patients.headOf(r.patientId);
      expect(countOf(head)).to.equal(2);
      expect(head).to.equal(await headFromLogs(f.patients, r.patientId));
    });
  });
});

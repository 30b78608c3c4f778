// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireGuardians } from "../behaviours/guardians.js";
import { shouldRequireSet } from "../behaviours/guardian-sets.js";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import type { SignedAct } from "../behaviours/signature.js";
import { carryOut, recover } from "../changes.js";
import {
  KeyUse,
  YEAR,
  domain,
  keySigner,
  networkHelpers,
  nextBlockAt,
  now,
  registerSigner,
} from "../consortium.js";
import { contractAccount, passkey } from "../contract-signers.js";
import {
  GUARDIAN_SET_TYPES,
  changeOf,
  inOrder,
  loadWithGuardians,
  newGuardians,
  nonceOf,
  patientFields,
  setGuardians,
  signFor,
  signedGuardianSet,
} from "../guardians.js";
import type { WithGuardians } from "../guardians.js";
import { expectHeadAdvance } from "../heads.js";

type Signed = Awaited<ReturnType<typeof signedGuardianSet>>;

/** Two new guardians for the patient, which shared tests sign themselves. */
async function setToSign(f: WithGuardians, patientId: string): Promise<SignedAct> {
  const s = await signedGuardianSet(f, patientId, keySigner(), newGuardians(2));
  return {
    patientId,
    domain: await domain(f.patients, "PatientRegistry"),
    types: GUARDIAN_SET_TYPES,
    value: { patientId, ...s.set, nonce: await nonceOf(f, patientId), deadline: s.deadline },
    act: (signature) => setGuardians(f, { ...s, signature }),
  };
}

/** Two new guardians for the holder, signed by him. */
function holdersSet(f: WithGuardians, guardians = newGuardians(2)) {
  return signedGuardianSet(f, f.holder.patientId, f.holder.signer, guardians);
}

async function refuses(f: WithGuardians, s: Signed, error: string, args: readonly unknown[] = [s.patientId]) {
  await expect(setGuardians(f, s))
    .to.be.revertedWithCustomError(f.patients, error)
    .withArgs(...args);
}

describe("PatientRegistry.setGuardians", () => {
  shouldRequireSigningPatient(loadWithGuardians, async (f, patientId) =>
    setGuardians(f, await signedGuardianSet(f, patientId, keySigner(), newGuardians(1))),
  );

  shouldRequireSignature(loadWithGuardians, async (f, signer) =>
    setToSign(f, (await registerSigner(f, signer)).patientId),
  );

  shouldRequireGuardians({
    load: loadWithGuardians,
    prepare: (f, ward) => setToSign(f, ward.patientId),
  });

  shouldRequireSet({
    patientOf: (f) => Promise.resolve(f.holder.patientId),
    send: async (f, { set, deadline }) => {
      const { patientId, signer } = f.holder;
      const value = { patientId, ...set, nonce: await nonceOf(f, patientId), deadline };
      const signature = await signFor(f, signer, GUARDIAN_SET_TYPES, value);
      return await setGuardians(f, { patientId, set, deadline, signature });
    },
  });

  shouldRequireThisSet();
  shouldWaitAfterRecovery();
  shouldKeepTerm();
  shouldSet();
});

function shouldRequireThisSet(): void {
  describe("when a stranger makes himself guardian", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const stranger = keySigner();
      await refuses(
        f,
        await signedGuardianSet(f, f.holder.patientId, stranger, [stranger], { threshold: 1 }),
        "SignatureInvalid",
      );
    });
  });

  describe("when another set, threshold, end, deadline or patient is sent than was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const s = await holdersSet(f);
      const { set: others } = await holdersSet(f);
      for (const set of [
        { ...s.set, threshold: 1 },
        { ...s.set, until: s.set.until + 1 },
        { ...s.set, guardians: others.guardians, possessions: others.possessions },
        { ...s.set, guardians: s.set.guardians.slice(1), possessions: s.set.possessions.slice(1) },
        { ...s.set, guardians: [], possessions: [] },
      ]) {
        await refuses(f, { ...s, set }, "SignatureInvalid");
      }
      await refuses(f, { ...s, deadline: s.deadline + 1 }, "SignatureInvalid");
      const { patientId } = await registerSigner(f, keySigner());
      await refuses(f, { ...s, patientId }, "SignatureInvalid");
    });
  });

  describe("when a set is sent again", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const s = await holdersSet(f);
      await setGuardians(f, s);
      await setGuardians(f, await holdersSet(f, []));
      await refuses(f, s, "SignatureInvalid");
    });
  });
}

function shouldWaitAfterRecovery(): void {
  describe("given the key was recovered, a second before the delay after it ends", () => {
    it("should revert with LoosensLater, for new guardians and for none", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const fresh = keySigner();
      const from = await recover(f, patientId, fresh);
      for (const guardians of [newGuardians(1), []]) {
        const deadline = from + 600;
        const s = await signedGuardianSet(f, patientId, fresh, guardians, {
          deadline,
          threshold: guardians.length,
        });
        await nextBlockAt(from - 1);
        await refuses(f, s, "LoosensLater", [patientId, from]);
      }
    });
  });

  describe("given the key was recovered and the delay after it ends this second", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const fresh = keySigner();
      const from = await recover(f, patientId, fresh);
      const s = await signedGuardianSet(f, patientId, fresh, newGuardians(1), { deadline: from + 600 });
      await nextBlockAt(from);
      await setGuardians(f, s);
    });
  });
}

function shouldKeepTerm(): void {
  describe("when guardians name guardians who end a second after themselves", () => {
    it("should revert with GuardiansOutlasted, for a ward and for an incapable patient", async () => {
      const f = await loadWithGuardians();
      await nextBlockAt(await carryOut(f, f.holder.patientId, changeOf("INCAPABLE")));
      await networkHelpers.mine();
      for (const { patientId, group } of [f.ward, f.holder]) {
        const end = Number((await f.patients.patientOf(patientId)).guardiansUntil);
        const s = await signedGuardianSet(f, patientId, group, newGuardians(2), { until: end + 1 });
        await refuses(f, s, "GuardiansOutlasted", [patientId, end]);
      }
    });
  });

  describe("when guardians name guardians who end with themselves", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const { patientId, group, until } = f.ward;
      await setGuardians(f, await signedGuardianSet(f, patientId, group, newGuardians(2), { until }));
      expect((await f.patients.patientOf(patientId)).guardiansUntil).to.equal(until);
    });
  });

  describe("when guardians end themselves", () => {
    it("should pass whatever end the empty set says", async () => {
      const f = await loadWithGuardians();
      const { patientId, group } = f.ward;
      const until = f.ward.until + YEAR;
      await setGuardians(f, await signedGuardianSet(f, patientId, group, [], { until }));
      expect((await f.patients.patientOf(patientId)).threshold).to.equal(0);
    });
  });
}

function shouldSet(): void {
  describe("when who signs sets guardians", () => {
    it("should emit GuardiansSet with the next epoch", async () => {
      const f = await loadWithGuardians();
      const s = await holdersSet(f);
      const at = await nextBlockAt();
      await expect(setGuardians(f, s))
        .to.emit(f.patients, "GuardiansSet")
        .withArgs(s.patientId, 2, s.set.guardians, 2, s.set.until, at);
    });

    it("should store threshold, end, epoch and nonce, and leave the rest", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const before = await patientFields(f, patientId);
      const until = (await now()) + YEAR * 2;
      const guardians = inOrder([await passkey(f), (await contractAccount()).signer, ...newGuardians(6)]);
      const s = await signedGuardianSet(f, patientId, f.holder.signer, guardians, { threshold: 8, until });
      await setGuardians(f, s);
      expect(await patientFields(f, patientId)).to.deep.equal({
        ...before,
        threshold: 8n,
        guardianEpoch: 2n,
        guardiansUntil: BigInt(until),
        nonce: before.nonce + 1n,
      });
    });

    it("should put the set in the place of the former, whose keys stay this patient's", async () => {
      const f = await loadWithGuardians();
      const { patientId, guardians } = f.holder;
      const s = await holdersSet(f);
      await setGuardians(f, s);
      for (const key of s.set.guardians) expect(await f.patients.isGuardian(patientId, key)).to.equal(true);
      for (const { bytes } of guardians) {
        expect(await f.patients.isGuardian(patientId, bytes)).to.equal(false);
        expect(await f.patients.patientOfKey(bytes)).to.deep.equal([patientId, KeyUse.GUARDIAN]);
      }
    });

    it("should take a former guardian of the same patient again", async () => {
      const f = await loadWithGuardians();
      await setGuardians(f, await holdersSet(f, []));
      await setGuardians(f, await holdersSet(f, f.holder.guardians));
      const { patientId, guardians } = f.holder;
      expect(await f.patients.isGuardian(patientId, guardians[0]!.bytes)).to.equal(true);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithGuardians();
      for (const guardians of [newGuardians(3), []]) {
        const s = await holdersSet(f, guardians);
        await expectHeadAdvance(f.patients, s.patientId, () => setGuardians(f, s));
      }
    });
  });

  describe("when the set is empty", () => {
    it("should leave the patient without guardians", async () => {
      const f = await loadWithGuardians();
      const { patientId, guardians } = f.holder;
      await setGuardians(f, await holdersSet(f, []));
      const { threshold, guardianEpoch } = await f.patients.patientOf(patientId);
      expect([threshold, guardianEpoch]).to.deep.equal([0n, 2n]);
      for (const { bytes } of guardians) {
        expect(await f.patients.isGuardian(patientId, bytes)).to.equal(false);
      }
    });
  });
}

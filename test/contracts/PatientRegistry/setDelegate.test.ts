// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash } from "ethers";
import { shouldRequireGuardians } from "../behaviours/guardians.js";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import type { SignedAct } from "../behaviours/signature.js";
import { recover } from "../changes.js";
import { KeyUse, YEAR, domain, keySigner, nextBlockAt, now, registerSigner } from "../consortium.js";
import type { PatientSigner } from "../consortium.js";
import { contractAccount, passkey } from "../contract-signers.js";
import { delegation, setDelegate } from "../delegates.js";
import type { Delegation } from "../delegates.js";
import {
  DELEGATION_TYPES,
  PATIENT_DELEGATE_TYPES,
  loadWithGuardians,
  nonceOf,
  possess,
} from "../guardians.js";
import type { WithGuardians } from "../guardians.js";
import { expectHeadAdvance } from "../heads.js";

/** A new delegate of the patient, whom shared tests sign for themselves. */
async function delegationToSign(f: WithGuardians, patientId: string): Promise<SignedAct> {
  const { signature: _, possession, ...value } = await delegation(f, patientId, keySigner());
  return {
    patientId,
    domain: await domain(f.patients, "PatientRegistry"),
    types: DELEGATION_TYPES,
    value,
    act: (signature) => setDelegate(f, { ...value, possession, signature }),
  };
}

function holders(
  f: WithGuardians,
  delegate?: PatientSigner,
  parts: { until?: number; deadline?: number } = {},
) {
  return delegation(f, f.holder.patientId, f.holder.signer, delegate, parts);
}

async function refuses(
  f: WithGuardians,
  d: Delegation,
  error: string,
  args: readonly unknown[] = [d.patientId],
) {
  await expect(setDelegate(f, d))
    .to.be.revertedWithCustomError(f.patients, error)
    .withArgs(...args);
}

describe("PatientRegistry.setDelegate", () => {
  shouldRequireSigningPatient(loadWithGuardians, async (f, patientId) =>
    setDelegate(f, await delegation(f, patientId, keySigner())),
  );

  shouldRequireSignature(loadWithGuardians, async (f, signer) =>
    delegationToSign(f, (await registerSigner(f, signer)).patientId),
  );

  shouldRequireGuardians({
    load: loadWithGuardians,
    prepare: (f, ward) => delegationToSign(f, ward.patientId),
  });

  describe("when the delegate's possession is signed", () => {
    shouldRequireSignature(loadWithGuardians, async (f, delegate) => {
      const { possession: _, ...d } = await holders(f, { ...keySigner(), bytes: delegate.bytes });
      return {
        patientId: d.patientId,
        domain: await domain(f.patients, "PatientRegistry"),
        types: PATIENT_DELEGATE_TYPES,
        value: d,
        act: (possession) => setDelegate(f, { ...d, possession }),
      };
    });
  });

  shouldRequireThisDelegation();
  shouldRequireDelegatesKey();
  shouldWaitAfterRecovery();
  shouldKeepTerm();
  shouldDelegate();
});

function shouldRequireThisDelegation(): void {
  describe("when the deadline has passed", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithGuardians();
      const d = await holders(f);
      await nextBlockAt(d.deadline + 1);
      await refuses(f, d, "DeadlinePassed", [d.deadline]);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const d = await holders(f);
      await nextBlockAt(d.deadline);
      await setDelegate(f, d);
    });
  });

  describe("when another delegate, end, deadline or patient is sent than was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const d = await holders(f);
      const { patientId } = await registerSigner(f, keySigner());
      for (const other of [
        { key: keySigner().bytes },
        { until: d.until + 1 },
        { deadline: d.deadline + 1 },
        { patientId },
      ]) {
        await refuses(f, { ...d, ...other }, "SignatureInvalid", [other.patientId ?? d.patientId]);
      }
    });
  });

  describe("when a delegation is sent again after it was ended", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const delegate = keySigner();
      const d = await holders(f, delegate);
      await setDelegate(f, d);
      await setDelegate(f, await holders(f, delegate, { until: 0 }));
      await refuses(f, d, "SignatureInvalid");
    });
  });
}

function shouldRequireDelegatesKey(): void {
  describe("when the delegate already serves somebody, or this patient for something else", () => {
    it("should revert with KeyInUse", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer, guardians } = f.holder;
      const other = keySigner();
      const { patientId: others } = await registerSigner(f, other);
      for (const [key, owner] of [
        [other, others],
        [f.ward.guardians[0]!, f.ward.patientId],
        [signer, patientId],
        [guardians[0]!, patientId],
      ] as const) {
        await refuses(f, await holders(f, key), "KeyInUse", [key.bytes, owner]);
      }
    });
  });

  describe("given the delegate serves another patient as delegate", () => {
    it("should revert with KeyInUse", async () => {
      const f = await loadWithGuardians();
      const delegate = keySigner();
      await setDelegate(f, await delegation(f, f.ward.patientId, f.ward.group, delegate));
      await refuses(f, await holders(f, delegate), "KeyInUse", [delegate.bytes, f.ward.patientId]);
    });
  });

  describe("when the delegate is neither an account nor a passkey", () => {
    it("should revert with KeyUnsupported", async () => {
      const f = await loadWithGuardians();
      for (const bytes of ["0x", `${keySigner().bytes}00`]) {
        await refuses(f, await holders(f, { ...keySigner(), bytes }), "KeyUnsupported", [bytes]);
      }
    });
  });

  describe("when the possession is the delegate's as a signer", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const delegate = keySigner();
      const d = await holders(f, delegate);
      const possession = await possess(f, d.patientId, delegate, d.deadline);
      await refuses(f, { ...d, possession }, "SignatureInvalid");
    });
  });
}

function shouldWaitAfterRecovery(): void {
  describe("given the key was recovered, a second before the delay after it ends", () => {
    it("should revert with LoosensLater for a delegate, and pass for the end of one", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const [fresh, delegate] = [keySigner(), keySigner()];
      await setDelegate(f, await holders(f, delegate));
      const from = await recover(f, patientId, fresh);
      const parts = { deadline: from + 600, until: from - 1 };
      const d = await delegation(f, patientId, fresh, delegate, parts);
      await nextBlockAt(from - 1);
      await refuses(f, d, "LoosensLater", [patientId, from]);
      await setDelegate(f, await delegation(f, patientId, fresh, delegate, { ...parts, until: 1 }));
      expect(await f.patients.delegateUntil(patientId, delegate.bytes)).to.equal(1);
    });
  });

  describe("given the key was recovered and the delay after it ends this second", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const fresh = keySigner();
      const from = await recover(f, patientId, fresh);
      const d = await delegation(f, patientId, fresh, keySigner(), { deadline: from + 600 });
      await nextBlockAt(from);
      await setDelegate(f, d);
    });
  });
}

function shouldKeepTerm(): void {
  describe("when guardians name a delegate who ends a second after themselves", () => {
    it("should revert with GuardiansOutlasted", async () => {
      const f = await loadWithGuardians();
      const { patientId, group, until } = f.ward;
      const d = await delegation(f, patientId, group, keySigner(), { until: until + 1 });
      await refuses(f, d, "GuardiansOutlasted", [patientId, until]);
    });
  });

  describe("when guardians name a delegate who ends with themselves", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const { patientId, group, until } = f.ward;
      const d = await delegation(f, patientId, group, keySigner(), { until });
      await setDelegate(f, d);
      expect(await f.patients.delegateUntil(patientId, d.key)).to.equal(until);
    });
  });
}

function shouldDelegate(): void {
  describe("when who signs names a delegate", () => {
    it("should emit DelegateSet with the nonce that it used", async () => {
      const f = await loadWithGuardians();
      const d = await holders(f);
      const at = await nextBlockAt();
      await expect(setDelegate(f, d))
        .to.emit(f.patients, "DelegateSet")
        .withArgs(d.patientId, d.key, d.until, d.nonce, at);
    });

    it("should store until when, claim the key and use the nonce", async () => {
      const f = await loadWithGuardians();
      for (const delegate of [keySigner(), (await contractAccount()).signer, await passkey(f)]) {
        const d = await holders(f, delegate);
        await setDelegate(f, d);
        expect(await f.patients.delegateUntil(d.patientId, d.key)).to.equal(d.until);
        expect(await f.patients.patientOfKey(d.key)).to.deep.equal([d.patientId, KeyUse.DELEGATE]);
        expect(await nonceOf(f, d.patientId)).to.equal(d.nonce + 1n);
      }
    });

    it("should prolong and shorten the time of the same delegate", async () => {
      const f = await loadWithGuardians();
      const delegate = keySigner();
      for (const until of [(await now()) + YEAR, (await now()) + 2 * YEAR, (await now()) + 3_600]) {
        await setDelegate(f, await holders(f, delegate, { until }));
        expect(await f.patients.delegateUntil(f.holder.patientId, delegate.bytes)).to.equal(until);
      }
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithGuardians();
      const d = await holders(f, await passkey(f));
      await expectHeadAdvance(f.patients, d.patientId, () => setDelegate(f, d));
    });
  });

  describe("when the end is this second", () => {
    it("should require a possession, as for any delegate", async () => {
      const f = await loadWithGuardians();
      const until = (await now()) + 60;
      const d = { ...(await holders(f, keySigner(), { until })), possession: "0x" };
      await nextBlockAt(until);
      await refuses(f, d, "SignatureInvalid");
    });
  });

  describe("when the end is past", () => {
    it("should end the delegation without a possession, and claim no key", async () => {
      const f = await loadWithGuardians();
      const until = (await now()) + 60;
      const d = { ...(await holders(f, keySigner(), { until })), possession: "0x" };
      await nextBlockAt(until + 1);
      await setDelegate(f, d);
      expect(await f.patients.delegateUntil(d.patientId, d.key)).to.equal(until);
      expect(await f.patients.patientOfKey(d.key)).to.deep.equal([ZeroHash, KeyUse.NONE]);
    });

    it("should take any key, and advance the patient's head by its event", async () => {
      const f = await loadWithGuardians();
      const d = { ...(await holders(f, f.ward.guardians[0], { until: 0 })), possession: "0x" };
      await expectHeadAdvance(f.patients, d.patientId, () => setDelegate(f, d));
      const owner = await f.patients.patientOfKey(d.key);
      expect(owner).to.deep.equal([f.ward.patientId, KeyUse.GUARDIAN]);
    });
  });
}

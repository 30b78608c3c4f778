// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { shouldRequireGuardians } from "../behaviours/guardians.js";
import { shouldRequireSignature, shouldRequireSigningPatient } from "../behaviours/signature.js";
import type { SignedAct } from "../behaviours/signature.js";
import { carryOut } from "../changes.js";
import {
  KeyUse,
  PATIENT_SIGNER_TYPES,
  domain,
  keySigner,
  nextBlockAt,
  now,
  registerSigner,
} from "../consortium.js";
import type { PatientSigner } from "../consortium.js";
import { contractAccount, passkey } from "../contract-signers.js";
import {
  ROTATION_TYPES,
  changeOf,
  loadWithGuardians,
  nonceOf,
  patientFields,
  possess,
  signFor,
} from "../guardians.js";
import type { WithGuardians } from "../guardians.js";
import { expectHeadAdvance } from "../heads.js";

/** A rotation of the patient's key to `fresh`, signed by `actor`, that succeeds as it stands. */
async function rotation(f: WithGuardians, patientId: string, actor: PatientSigner, fresh = keySigner()) {
  const deadline = (await now()) + 600;
  const value = { patientId, key: fresh.bytes, nonce: await nonceOf(f, patientId), deadline };
  return {
    ...value,
    possession: await possess(f, patientId, fresh, deadline),
    signature: await signFor(f, actor, ROTATION_TYPES, value),
  };
}
type Rotation = Awaited<ReturnType<typeof rotation>>;

function rotate(f: WithGuardians, r: Rotation) {
  return f.patients.connect(f.relay).rotateSigner(r.patientId, r.key, r.possession, r.deadline, r.signature);
}

/** The same for shared tests, which sign it themselves. */
async function rotationToSign(f: WithGuardians, patientId: string): Promise<SignedAct> {
  const { signature: _, possession, ...value } = await rotation(f, patientId, keySigner());
  return {
    patientId,
    domain: await domain(f.patients, "PatientRegistry"),
    types: ROTATION_TYPES,
    value,
    act: (signature) => rotate(f, { ...value, possession, signature }),
  };
}

async function refuses(
  f: WithGuardians,
  r: Rotation,
  error: string,
  args: readonly unknown[] = [r.patientId],
) {
  await expect(rotate(f, r))
    .to.be.revertedWithCustomError(f.patients, error)
    .withArgs(...args);
}

describe("PatientRegistry.rotateSigner", () => {
  shouldRequireSigningPatient(loadWithGuardians, async (f, patientId) =>
    rotate(f, await rotation(f, patientId, keySigner())),
  );

  shouldRequireSignature(loadWithGuardians, async (f, signer) =>
    rotationToSign(f, (await registerSigner(f, signer)).patientId),
  );

  shouldRequireGuardians({
    load: loadWithGuardians,
    prepare: (f, ward) => rotationToSign(f, ward.patientId),
  });

  describe("when the new key's possession is signed", () => {
    // The key signs over PatientSigner(patientId, key, deadline), whatever else the rotation says.
    shouldRequireSignature(loadWithGuardians, async (f, fresh) => {
      const { patientId, signer } = f.holder;
      const { possession: _, ...r } = await rotation(f, patientId, signer, {
        ...keySigner(),
        bytes: fresh.bytes,
      });
      return {
        patientId,
        domain: await domain(f.patients, "PatientRegistry"),
        types: PATIENT_SIGNER_TYPES,
        value: r,
        act: (possession) => rotate(f, { ...r, possession }),
      };
    });
  });

  shouldRequireThisRotation();
  shouldRequireFreshKey();
  shouldRequireStanding();
  shouldRotate();
});

function shouldRequireThisRotation(): void {
  describe("when the deadline has passed", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithGuardians();
      const r = await rotation(f, f.holder.patientId, f.holder.signer);
      await nextBlockAt(r.deadline + 1);
      await refuses(f, r, "DeadlinePassed", [r.deadline]);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const r = await rotation(f, f.holder.patientId, f.holder.signer);
      await nextBlockAt(r.deadline);
      await rotate(f, r);
    });
  });

  describe("when another key, deadline or patient is sent than was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const r = await rotation(f, patientId, signer);
      const thief = keySigner();
      const possession = await possess(f, patientId, thief, r.deadline);
      await refuses(f, { ...r, key: thief.bytes, possession }, "SignatureInvalid");
      await refuses(f, { ...r, deadline: r.deadline + 1 }, "SignatureInvalid");
      const { patientId: other } = await registerSigner(f, keySigner());
      await refuses(f, { ...r, patientId: other }, "SignatureInvalid");
    });
  });

  describe("when a rotation is sent again", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const r = await rotation(f, f.holder.patientId, f.holder.signer);
      await rotate(f, r);
      await refuses(f, r, "SignatureInvalid");
    });
  });

  describe("when the nonce is not the next", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const r = await rotation(f, patientId, signer);
      for (const nonce of [r.nonce - 1n, r.nonce + 1n]) {
        const signature = await signFor(f, signer, ROTATION_TYPES, { ...r, nonce });
        await refuses(f, { ...r, signature }, "SignatureInvalid");
      }
    });
  });
}

function shouldRequireFreshKey(): void {
  describe("when the new key already serves somebody, or this patient", () => {
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
        await refuses(f, await rotation(f, patientId, signer, key), "KeyInUse", [key.bytes, owner]);
      }
    });
  });

  describe("when the new key was this patient's before", () => {
    it("should revert with KeyInUse", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const fresh = keySigner();
      await rotate(f, await rotation(f, patientId, signer, fresh));
      await refuses(f, await rotation(f, patientId, fresh, signer), "KeyInUse", [signer.bytes, patientId]);
    });
  });

  describe("when the new key is empty, or neither an account nor a passkey of this deployment", () => {
    it("should revert with KeyUnsupported", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const foreign = `${keySigner().bytes}${(await passkey(f)).bytes.slice(42)}`;
      for (const bytes of ["0x", "0x00", `${keySigner().bytes}00`, foreign]) {
        const r = await rotation(f, patientId, signer, { ...keySigner(), bytes });
        await refuses(f, r, "KeyUnsupported", [bytes]);
      }
    });
  });
}

function shouldRequireStanding(): void {
  describe("given the patient is incapable and has a key", () => {
    it("should revert with SignerStands when guardians rotate it", async () => {
      const f = await loadWithGuardians();
      const { patientId, group } = f.holder;
      await carryOut(f, patientId, changeOf("INCAPABLE"));
      await refuses(f, await rotation(f, patientId, group), "SignerStands");
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead, with a key and without", async () => {
      const f = await loadWithGuardians();
      for (const { patientId, group } of [f.holder, f.ward]) {
        await carryOut(f, patientId, changeOf("DEAD"));
        await refuses(f, await rotation(f, patientId, group), "PatientIsDead");
      }
    });
  });
}

function shouldRotate(): void {
  describe("when the patient replaces his key", () => {
    it("should emit SignerRotated with the nonce that it used", async () => {
      const f = await loadWithGuardians();
      const r = await rotation(f, f.holder.patientId, f.holder.signer);
      const at = await nextBlockAt();
      await expect(rotate(f, r))
        .to.emit(f.patients, "SignerRotated")
        .withArgs(r.patientId, r.key, r.nonce, at);
    });

    it("should store key and nonce and leave the rest, for a key, a contract account and a passkey", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      let actor = f.holder.signer;
      for (const fresh of [keySigner(), (await contractAccount()).signer, await passkey(f), keySigner()]) {
        const { signer: _, nonce, ...rest } = await patientFields(f, patientId);
        await rotate(f, await rotation(f, patientId, actor, fresh));
        const after = await patientFields(f, patientId);
        expect(after).to.deep.equal({ ...rest, signer: fresh.bytes, nonce: nonce + 1n });
        actor = fresh;
      }
    });

    it("should keep both keys this patient's for good", async () => {
      const f = await loadWithGuardians();
      const { patientId, signer } = f.holder;
      const r = await rotation(f, patientId, signer);
      await rotate(f, r);
      for (const key of [r.key, signer.bytes]) {
        expect(await f.patients.patientOfKey(key)).to.deep.equal([patientId, KeyUse.SIGNER]);
      }
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithGuardians();
      const r = await rotation(f, f.holder.patientId, f.holder.signer, await passkey(f));
      await expectHeadAdvance(f.patients, r.patientId, () => rotate(f, r));
    });
  });

  describe("given a patient without a key who has guardians", () => {
    it("should give him a key, which alone signs from then on", async () => {
      const f = await loadWithGuardians();
      const { patientId, group } = f.ward;
      const fresh = keySigner();
      await rotate(f, await rotation(f, patientId, group, fresh));
      await refuses(f, await rotation(f, patientId, group), "SignatureInvalid");
      await rotate(f, await rotation(f, patientId, fresh));
    });
  });
}

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroAddress, id, toBeHex } from "ethers";
import { shouldRequireGuardians } from "../behaviours/guardians.js";
import type { SignedAct } from "../behaviours/signature.js";
import {
  cancel,
  carryOut,
  complete,
  custodianProposal,
  guardiansProposal,
  pendingSince,
  propose,
  proposeByCustodian,
  proposeByGuardians,
} from "../changes.js";
import { RECOVERY_DELAY, domain, keySigner, nextBlockAt, registerSigner } from "../consortium.js";
import { contractAccount, passkey } from "../contract-signers.js";
import {
  CHANGE_TYPES,
  PATIENT_GUARDIAN_TYPES,
  changeHashOf,
  changeOf,
  changeValue,
  loadWithGuardians,
  patientFields,
  possess,
} from "../guardians.js";
import type { WithGuardians } from "../guardians.js";
import { expectHeadAdvance } from "../heads.js";

const INCAPABLE = changeOf("INCAPABLE");

type Proposal = Awaited<ReturnType<typeof guardiansProposal>>;

/** INCAPABLE for the patient, which shared tests sign themselves. */
async function proposalToSign(f: WithGuardians, patientId: string): Promise<SignedAct> {
  const p = await guardiansProposal(f, patientId, keySigner(), INCAPABLE);
  return {
    patientId,
    domain: await domain(f.patients, "PatientRegistry"),
    types: CHANGE_TYPES,
    value: await changeValue(f, patientId, INCAPABLE, p.deadline),
    act: (signature) => proposeByGuardians(f, { ...p, signature }),
  };
}

/** A change for the holder by two of his guardians. */
function holders(f: WithGuardians, change = INCAPABLE, of: readonly ReturnType<typeof keySigner>[] = []) {
  return guardiansProposal(f, f.holder.patientId, f.holder.group, change, { holders: of });
}

async function refuses(
  f: WithGuardians,
  p: Proposal,
  error: string,
  args: readonly unknown[] = [p.patientId],
) {
  await expect(proposeByGuardians(f, p))
    .to.be.revertedWithCustomError(f.patients, error)
    .withArgs(...args);
}

describe("PatientRegistry.proposeByGuardians", () => {
  shouldRequireGuardians({
    load: loadWithGuardians,
    prepare: (f, ward) => proposalToSign(f, ward.patientId),
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithGuardians();
      const patientId = toBeHex(1, 32);
      await refuses(f, { ...(await holders(f)), patientId }, "PatientUnknown", [patientId]);
    });
  });

  describe("given the patient has no guardians", () => {
    it("should revert with PatientHasNoSigner, whoever signs", async () => {
      const f = await loadWithGuardians();
      const signer = keySigner();
      const { patientId } = await registerSigner(f, signer);
      await refuses(f, await guardiansProposal(f, patientId, signer, INCAPABLE), "PatientHasNoSigner");
      await refuses(f, await guardiansProposal(f, f.witnessed, signer, INCAPABLE), "PatientHasNoSigner");
    });
  });

  describe("when the change is for a court or the custodian", () => {
    it("should revert with ChangeNotForGuardians", async () => {
      const f = await loadWithGuardians();
      for (const kind of ["GUARDIANS", "DEAD"] as const) {
        const change = changeOf(kind);
        await refuses(f, await holders(f, change), "ChangeNotForGuardians", [change.kind]);
      }
    });
  });

  shouldRequireThisChange();
  shouldRequireWellFormed();
  shouldPropose();
});

function shouldRequireThisChange(): void {
  describe("when the deadline has passed", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithGuardians();
      const p = await holders(f);
      await nextBlockAt(p.deadline + 1);
      await refuses(f, p, "DeadlinePassed", [p.deadline]);
    });
  });

  describe("when the deadline is this second", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const p = await holders(f);
      await nextBlockAt(p.deadline);
      await proposeByGuardians(f, p);
    });
  });

  describe("when another change or deadline is sent than was signed", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const p = await holders(f);
      for (const change of [changeOf("CAPABLE"), { ...INCAPABLE, document: id("another document") }]) {
        await refuses(f, { ...p, change }, "SignatureInvalid");
      }
      await refuses(f, { ...p, deadline: p.deadline + 1 }, "SignatureInvalid");
    });
  });

  describe("when a proposal is sent again after it was refused", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const p = await holders(f);
      await proposeByGuardians(f, p);
      await cancel(f, p.patientId, f.holder.signer);
      await refuses(f, p, "SignatureInvalid");
    });
  });

  describe("given a change is pending", () => {
    it("should revert with ChangePending, also when the custodian proposes", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      await proposeByGuardians(f, await holders(f));
      await refuses(f, await holders(f), "ChangePending", [patientId, changeHashOf(INCAPABLE)]);
      const custodians = await custodianProposal(f, patientId, changeOf("DEAD"));
      await expect(proposeByCustodian(f, custodians))
        .to.be.revertedWithCustomError(f.patients, "ChangePending")
        .withArgs(patientId, changeHashOf(INCAPABLE));
    });

    it("should revert with ChangePending when the custodian proposed it", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      await propose(f, patientId, changeOf("DEAD"));
      await refuses(f, await holders(f), "ChangePending", [patientId, changeHashOf(changeOf("DEAD"))]);
    });
  });
}

function shouldRequireWellFormed(): void {
  const fresh = keySigner();
  const recovery = changeOf("SIGNER", { keys: [fresh.bytes] });

  describe("when the change has parts that its kind does not have", () => {
    it("should revert with ChangeInvalid", async () => {
      const f = await loadWithGuardians();
      for (const change of [
        changeOf("INCAPABLE", { keys: [fresh.bytes] }),
        changeOf("INCAPABLE", { threshold: 1 }),
        changeOf("CAPABLE", { until: 1 }),
        changeOf("SIGNER"),
        changeOf("SIGNER", { keys: [fresh.bytes, keySigner().bytes] }),
        changeOf("SIGNER", { keys: [fresh.bytes], threshold: 1 }),
      ]) {
        await refuses(f, await holders(f, change, [fresh]), "ChangeInvalid", [change.kind]);
      }
    });
  });

  describe("when the new key's possession lacks, or is another key's, use's or time's", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const p = await holders(f, recovery, [fresh]);
      for (const possession of [
        "0x",
        await possess(f, p.patientId, keySigner(), p.deadline),
        await possess(f, p.patientId, fresh, p.deadline, PATIENT_GUARDIAN_TYPES),
        await possess(f, p.patientId, fresh, p.deadline + 1),
        await possess(f, f.ward.patientId, fresh, p.deadline),
      ]) {
        await refuses(f, { ...p, possession }, "SignatureInvalid");
      }
    });
  });

  describe("when the new key already serves somebody, or is a guardian's own", () => {
    it("should revert with KeyInUse", async () => {
      const f = await loadWithGuardians();
      const { patientId, guardians, signer } = f.holder;
      for (const [key, owner] of [
        [guardians[0]!, patientId],
        [signer, patientId],
        [f.ward.guardians[0]!, f.ward.patientId],
      ] as const) {
        const p = await holders(f, changeOf("SIGNER", { keys: [key.bytes] }), [key]);
        await refuses(f, p, "KeyInUse", [key.bytes, owner]);
      }
    });
  });

  describe("when the new key is neither an account nor a passkey", () => {
    it("should revert with KeyUnsupported", async () => {
      const f = await loadWithGuardians();
      const p = await holders(f, changeOf("SIGNER", { keys: ["0x"] }), [fresh]);
      await refuses(f, p, "KeyUnsupported", ["0x"]);
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead, but let guardians say that he lives", async () => {
      const f = await loadWithGuardians();
      await carryOut(f, f.holder.patientId, changeOf("DEAD"));
      await refuses(f, await holders(f, INCAPABLE), "PatientIsDead");
      await refuses(f, await holders(f, recovery, [fresh]), "PatientIsDead");
      await proposeByGuardians(f, await holders(f, changeOf("CAPABLE")));
    });
  });
}

function shouldPropose(): void {
  describe("when guardians propose", () => {
    it("should emit ChangeProposed without a reviewer", async () => {
      const f = await loadWithGuardians();
      const p = await holders(f);
      const at = await nextBlockAt();
      await expect(proposeByGuardians(f, p))
        .to.emit(f.patients, "ChangeProposed")
        .withArgs(
          p.patientId,
          changeHashOf(INCAPABLE),
          Object.values(INCAPABLE),
          ZeroAddress,
          at + RECOVERY_DELAY,
        );
    });

    it("should store the change and when it is ready, use the nonce and change nothing else yet", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const before = await patientFields(f, patientId);
      const p = await holders(f);
      const at = await nextBlockAt();
      await proposeByGuardians(f, p);
      expect(await f.patients.pendingChangeOf(patientId)).to.deep.equal(pendingSince(at, INCAPABLE));
      const after = await patientFields(f, patientId);
      expect(after).to.deep.equal({ ...before, nonce: before.nonce + 1n });
    });

    it("should recover a lost key to a key, a contract account or a passkey", async () => {
      for (const kind of ["key", "account", "passkey"]) {
        const f = await loadWithGuardians();
        const { patientId } = f.holder;
        const key =
          kind === "key"
            ? keySigner()
            : kind === "account"
              ? (await contractAccount()).signer
              : await passkey(f);
        const change = changeOf("SIGNER", { keys: [key.bytes] });
        await proposeByGuardians(f, await holders(f, change, [key]));
        await complete(f, patientId, change);
        expect((await f.patients.patientOf(patientId)).signer, kind).to.equal(key.bytes);
      }
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithGuardians();
      const key = keySigner();
      const p = await holders(f, changeOf("SIGNER", { keys: [key.bytes] }), [key]);
      await expectHeadAdvance(f.patients, p.patientId, () => proposeByGuardians(f, p));
    });
  });
}

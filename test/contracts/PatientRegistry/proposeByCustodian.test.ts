// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { toBeHex } from "ethers";
import { shouldRequireReviewer } from "../behaviours/reviewer.js";
import { shouldRequireStaff } from "../behaviours/staff.js";
import { carryOut, custodianProposal, pendingSince, propose, proposeByCustodian } from "../changes.js";
import {
  KeyUse,
  RECOVERY_DELAY,
  YEAR,
  ethers,
  keySigner,
  nextBlockAt,
  now,
  registerSigner,
} from "../consortium.js";
import {
  ChangeKind,
  changeHashOf,
  changeOf,
  loadWithGuardians,
  newGuardians,
  nonceOf,
} from "../guardians.js";
import type { WithGuardians } from "../guardians.js";
import { expectHeadAdvance } from "../heads.js";

const INCAPABLE = changeOf("INCAPABLE");

/** INCAPABLE for the holder, as hospital A's operator and hospital B's reviewer propose it. */
function proposal(f: WithGuardians) {
  return custodianProposal(f, f.holder.patientId, INCAPABLE);
}

async function refuses(f: WithGuardians, sending: Promise<unknown>, error: string, args: readonly unknown[]) {
  await expect(sending)
    .to.be.revertedWithCustomError(f.patients, error)
    .withArgs(...args);
}

describe("PatientRegistry.proposeByCustodian", () => {
  shouldRequireStaff({
    load: loadWithGuardians,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: async (f, as) => proposeByCustodian(f, await proposal(f), as),
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithGuardians();
      const p = { ...(await proposal(f)), patientId: toBeHex(1, 32) };
      await refuses(f, proposeByCustodian(f, p), "PatientUnknown", [p.patientId]);
    });
  });

  describe("when another member's operator proposes, also in copying a pending proposal", () => {
    it("should revert with NotCustodian", async () => {
      const f = await loadWithGuardians();
      await refuses(f, proposeByCustodian(f, await proposal(f), f.operatorB), "NotCustodian", [
        f.holder.patientId,
        2,
      ]);
    });
  });

  describe("when the reviewer's deadline has passed", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithGuardians();
      const p = await proposal(f);
      await nextBlockAt(p.reviewer.deadline + 1);
      await refuses(f, proposeByCustodian(f, p), "DeadlinePassed", [p.reviewer.deadline]);
    });
  });

  describe("when the reviewer's deadline is this second", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const p = await proposal(f);
      await nextBlockAt(p.reviewer.deadline);
      await proposeByCustodian(f, p);
    });
  });

  shouldRequireReviewer();
  shouldRequireWellFormed();
  shouldPropose();
});

function shouldRequireWellFormed(): void {
  const fresh = keySigner();

  describe("when the change has parts that its kind does not have", () => {
    it("should revert with ChangeInvalid", async () => {
      const f = await loadWithGuardians();
      for (const [change, holders] of [
        [changeOf("INCAPABLE", { keys: [fresh.bytes] }), [fresh]],
        [changeOf("CAPABLE", { threshold: 1 }), []],
        [changeOf("DEAD", { until: 1 }), []],
        [changeOf("SIGNER"), []],
        [changeOf("SIGNER", { keys: [fresh.bytes, keySigner().bytes] }), [fresh, fresh]],
        [changeOf("SIGNER", { keys: [fresh.bytes], threshold: 1 }), [fresh]],
        [changeOf("SIGNER", { keys: [fresh.bytes], until: 1 }), [fresh]],
        // A possession too few or too many.
        [changeOf("SIGNER", { keys: [fresh.bytes] }), []],
        [changeOf("SIGNER", { keys: [fresh.bytes] }), [fresh, fresh]],
        [changeOf("INCAPABLE"), [fresh]],
      ] as const) {
        const p = await custodianProposal(f, f.holder.patientId, change, { holders });
        await refuses(f, proposeByCustodian(f, p), "ChangeInvalid", [change.kind]);
      }
    });
  });

  describe("when the kind is none of the five", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithGuardians();
      const p = await proposal(f);
      const change = { ...INCAPABLE, kind: 5 };
      await expect(proposeByCustodian(f, { ...p, change })).to.be.revertedWithoutReason(ethers);
    });
  });

  describe("when the guardians' set is not in order, too large, or its threshold fits no set", () => {
    it("should revert with GuardiansInvalid", async () => {
      const f = await loadWithGuardians();
      const guardians = newGuardians(9);
      const until = (await now()) + YEAR;
      for (const [holders, threshold] of [
        [guardians, 2],
        [guardians.slice(0, 3), 0],
        [guardians.slice(0, 3), 4],
        [guardians.slice(0, 3).toReversed(), 2],
        [[guardians[0]!, guardians[0]!], 2],
        [[], 1],
      ] as const) {
        const change = changeOf("GUARDIANS", { keys: holders.map(({ bytes }) => bytes), threshold, until });
        const p = await custodianProposal(f, f.holder.patientId, change, { holders });
        await refuses(f, proposeByCustodian(f, p), "GuardiansInvalid", [holders.length, threshold]);
      }
    });
  });

  describe("when the guardians would have ended already", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithGuardians();
      const [guardian] = newGuardians(1);
      const until = await now();
      const change = changeOf("GUARDIANS", { keys: [guardian!.bytes], threshold: 1, until });
      const p = await custodianProposal(f, f.holder.patientId, change, { holders: [guardian!] });
      await refuses(f, proposeByCustodian(f, p), "DeadlinePassed", [until]);
    });
  });

  describe("when a key already serves somebody, or this patient for something else", () => {
    it("should revert with KeyInUse", async () => {
      const f = await loadWithGuardians();
      const other = keySigner();
      const { patientId: others } = await registerSigner(f, other);
      const { patientId, signer, guardians } = f.holder;
      for (const [key, owner] of [
        [other, others],
        [signer, patientId],
        [guardians[0]!, patientId],
        [f.ward.guardians[0]!, f.ward.patientId],
      ] as const) {
        const p = await custodianProposal(f, patientId, changeOf("SIGNER", { keys: [key.bytes] }), {
          holders: [key],
        });
        await refuses(f, proposeByCustodian(f, p), "KeyInUse", [key.bytes, owner]);
      }
    });
  });

  describe("when the key's possession is another key's, another patient's or a guardian's", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const change = changeOf("SIGNER", { keys: [fresh.bytes] });
      const p = await custodianProposal(f, patientId, change, { holders: [keySigner()] });
      await refuses(f, proposeByCustodian(f, p), "SignatureInvalid", [patientId]);
      const others = await custodianProposal(f, f.ward.patientId, change, { holders: [fresh] });
      const guardians = await custodianProposal(
        f,
        patientId,
        { ...change, kind: ChangeKind.GUARDIANS },
        {
          holders: [fresh],
        },
      );
      for (const { possessions } of [others, guardians]) {
        await refuses(f, proposeByCustodian(f, { ...p, possessions }), "SignatureInvalid", [patientId]);
      }
    });
  });

  describe("given the patient is dead", () => {
    it("should revert with PatientIsDead unless the change is CAPABLE or GUARDIANS", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      await carryOut(f, patientId, changeOf("DEAD"));
      for (const [change, holders] of [
        [changeOf("DEAD"), []],
        [INCAPABLE, []],
        [changeOf("SIGNER", { keys: [fresh.bytes] }), [fresh]],
      ] as const) {
        const p = await custodianProposal(f, patientId, change, { holders });
        await refuses(f, proposeByCustodian(f, p), "PatientIsDead", [patientId]);
      }
      for (const change of [changeOf("CAPABLE"), changeOf("GUARDIANS")]) {
        await propose(f, patientId, change);
        await f.patients.connect(f.operatorA).withdrawChange(patientId);
      }
    });
  });

  describe("given a change is pending", () => {
    it("should revert with ChangePending, for the same change and for another", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      await propose(f, patientId, INCAPABLE);
      for (const change of [INCAPABLE, changeOf("DEAD")]) {
        const p = await custodianProposal(f, patientId, change);
        await refuses(f, proposeByCustodian(f, p), "ChangePending", [patientId, changeHashOf(INCAPABLE)]);
      }
    });
  });
}

function shouldPropose(): void {
  describe("when custodian and reviewer propose", () => {
    it("should store the change and when it is ready, and use the nonce", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const nonce = await nonceOf(f, patientId);
      const at = await propose(f, patientId, INCAPABLE);
      expect(await f.patients.pendingChangeOf(patientId)).to.deep.equal(pendingSince(at, INCAPABLE));
      expect(await nonceOf(f, patientId)).to.equal(nonce + 1n);
    });

    it("should change nothing else yet, nor claim the key", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const [signer] = newGuardians(1);
      const before = await f.patients.patientOf(patientId);
      await propose(f, patientId, changeOf("SIGNER", { keys: [signer!.bytes] }), [signer!]);
      const after = await f.patients.patientOf(patientId);
      expect([after.signer, after.condition, after.loosensFrom]).to.deep.equal([before.signer, 0n, 0n]);
      expect((await f.patients.patientOfKey(signer!.bytes)).use).to.equal(KeyUse.NONE);
    });

    it("should emit ChangeProposed with the whole change and the reviewer", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      const guardians = newGuardians(8);
      const keys = guardians.map(({ bytes }) => bytes);
      const change = changeOf("GUARDIANS", { keys, threshold: 8, until: (await now()) + YEAR });
      const p = await custodianProposal(f, patientId, change, { holders: guardians });
      const at = await nextBlockAt();
      await expect(proposeByCustodian(f, p))
        .to.emit(f.patients, "ChangeProposed")
        .withArgs(
          patientId,
          changeHashOf(change),
          Object.values(change),
          f.reviewerB.address,
          at + RECOVERY_DELAY,
        );
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.ward;
      const signer = keySigner();
      await expectHeadAdvance(f.patients, patientId, () =>
        propose(f, patientId, changeOf("SIGNER", { keys: [signer.bytes] }), [signer]),
      );
    });
  });

  describe("given the patient has neither signer nor guardians", () => {
    it("should take guardians and a first key", async () => {
      const f = await loadWithGuardians();
      const [guardian, signer] = newGuardians(2);
      const keys = [guardian!.bytes];
      const change = changeOf("GUARDIANS", { keys, threshold: 1, until: (await now()) + YEAR });
      await carryOut(f, f.witnessed, change, [guardian!]);
      await carryOut(f, f.witnessed, changeOf("SIGNER", { keys: [signer!.bytes] }), [signer!]);
      expect((await f.patients.patientOf(f.witnessed)).signer).to.equal(signer!.bytes);
    });
  });
}

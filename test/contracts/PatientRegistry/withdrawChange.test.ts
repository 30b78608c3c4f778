// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, toBeHex } from "ethers";
import { shouldRequireStaff } from "../behaviours/staff.js";
import { guardiansProposal, propose, proposeByGuardians } from "../changes.js";
import { nextBlockAt } from "../consortium.js";
import { changeHashOf, changeOf, loadWithGuardians } from "../guardians.js";
import { expectHeadAdvance } from "../heads.js";

const INCAPABLE = changeOf("INCAPABLE");

/** The holder's INCAPABLE, proposed. */
async function pending() {
  const f = await loadWithGuardians();
  await propose(f, f.holder.patientId, INCAPABLE);
  return { f, patientId: f.holder.patientId };
}

describe("PatientRegistry.withdrawChange", () => {
  shouldRequireStaff({
    load: async () => (await pending()).f,
    staff: (f) => f.operatorA,
    memberId: 1,
    role: "OPERATOR",
    activity: "WRITING",
    act: (f, as) => f.patients.connect(as).withdrawChange(f.holder.patientId),
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const { patients, operatorA } = await loadWithGuardians();
      await expect(patients.connect(operatorA).withdrawChange(toBeHex(1, 32)))
        .to.be.revertedWithCustomError(patients, "PatientUnknown")
        .withArgs(toBeHex(1, 32));
    });
  });

  describe("when another member's operator withdraws", () => {
    it("should revert with NotCustodian", async () => {
      const { f, patientId } = await pending();
      await expect(f.patients.connect(f.operatorB).withdrawChange(patientId))
        .to.be.revertedWithCustomError(f.patients, "NotCustodian")
        .withArgs(patientId, 2);
    });
  });

  describe("given no change is pending", () => {
    it("should revert with ChangeUnknown", async () => {
      const f = await loadWithGuardians();
      const { patientId } = f.holder;
      await expect(f.patients.connect(f.operatorA).withdrawChange(patientId))
        .to.be.revertedWithCustomError(f.patients, "ChangeUnknown")
        .withArgs(patientId, ZeroHash);
    });
  });

  describe("when the custodian's operator withdraws", () => {
    it("should emit ChangeCancelled, withdrawn", async () => {
      const { f, patientId } = await pending();
      const at = await nextBlockAt();
      await expect(f.patients.connect(f.operatorA).withdrawChange(patientId))
        .to.emit(f.patients, "ChangeCancelled")
        .withArgs(patientId, changeHashOf(INCAPABLE), true, at);
    });

    it("should forget the change, and let another be proposed", async () => {
      const { f, patientId } = await pending();
      await f.patients.connect(f.operatorA).withdrawChange(patientId);
      expect(await f.patients.pendingChangeOf(patientId)).to.deep.equal([ZeroHash, 0n]);
      await propose(f, patientId, changeOf("DEAD"));
    });

    it("should advance the patient's head by its event", async () => {
      const { f, patientId } = await pending();
      await expectHeadAdvance(f.patients, patientId, () =>
        f.patients.connect(f.operatorA).withdrawChange(patientId),
      );
    });
  });

  describe("given guardians proposed the change", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const { patientId, group } = f.holder;
      await proposeByGuardians(f, await guardiansProposal(f, patientId, group, INCAPABLE));
      await f.patients.connect(f.operatorA).withdrawChange(patientId);
      expect((await f.patients.pendingChangeOf(patientId)).changeHash).to.equal(ZeroHash);
    });
  });
});

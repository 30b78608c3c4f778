// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash } from "ethers";
import { networkHelpers } from "../consortium.js";
import { deployWithEmergencies, openWindow } from "../emergencies.js";
import { setDirective } from "../patient-acts.js";

/** Clinician B opened a window with his hospital's colleague. */
async function deployWithWindow() {
  const f = await deployWithEmergencies();
  return { ...f, window: await openWindow(f) };
}
const load = () => networkHelpers.loadFixture(deployWithWindow);

describe("BreakGlass.standingOf", () => {
  describe("given no such window", () => {
    it("should revert with WindowUnknown", async () => {
      const f = await load();
      await expect(f.emergencies.standingOf(ZeroHash, f.clinicianB))
        .to.be.revertedWithCustomError(f.emergencies, "WindowUnknown")
        .withArgs(ZeroHash);
    });
  });

  describe("when the reader is another than who opened it", () => {
    it("should revert with WindowOfAnother, also for the colleague and the person's other account", async () => {
      const f = await load();
      const { windowId } = f.window;
      for (const other of [f.colleagueB, f.second, f.thirdB, f.clinicianA, f.outsider]) {
        await expect(f.emergencies.standingOf(windowId, other))
          .to.be.revertedWithCustomError(f.emergencies, "WindowOfAnother")
          .withArgs(windowId, other.address);
      }
    });
  });

  for (const [given, directive] of [
    ["given the patient denies emergencies since", { denyEmergency: true }],
    ["given the patient denies everything since", { denyAll: true }],
  ] as const) {
    describe(given, () => {
      it("should revert with EmergencyDenied until he allows them again", async () => {
        const f = await load();
        await setDirective(f, f.patient, directive);
        await expect(f.emergencies.standingOf(f.window.windowId, f.clinicianB))
          .to.be.revertedWithCustomError(f.emergencies, "EmergencyDenied")
          .withArgs(f.patient.patientId);
        await setDirective(f, f.patient);
        await f.emergencies.standingOf(f.window.windowId, f.clinicianB);
      });
    });
  }

  describe("given the window is the reader's", () => {
    it("should return the patient's custodian and what the patient denies now", async () => {
      const f = await load();
      const standing = () => f.emergencies.standingOf(f.window.windowId, f.clinicianB);
      expect(await standing()).to.deep.equal([1n, 0n]);
      await setDirective(f, f.patient, { deniedCompartments: 5n });
      expect(await standing()).to.deep.equal([1n, 5n]);
    });

    it("should be the same after the window's end, which its terms tell", async () => {
      const f = await load();
      await networkHelpers.time.increaseTo(f.window.terms.notAfter + 1);
      expect(await f.emergencies.standingOf(f.window.windowId, f.clinicianB)).to.deep.equal([1n, 0n]);
    });
  });
});

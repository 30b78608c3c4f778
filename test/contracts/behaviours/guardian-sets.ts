// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { KeyUse, YEAR, keySigner, nextBlockAt, now, registerSigner } from "../consortium.js";
import {
  PATIENT_DELEGATE_TYPES,
  guardianSet,
  loadWithGuardians,
  newGuardians,
  possess,
} from "../guardians.js";
import type { WithGuardians } from "../guardians.js";

type SetWithDeadline = Awaited<ReturnType<typeof guardianSet>>;

export interface SetCase {
  /** Who gets the guardians. */
  patientOf: (f: WithGuardians) => Promise<string>;
  /** Sends the set, with whatever signature it needs besides. */
  send: (f: WithGuardians, set: SetWithDeadline) => Promise<unknown>;
}

/** One to eight different guardians, each of whom shows his key, a threshold that fits, and an end to come. */
export function shouldRequireSet(test: SetCase): void {
  shouldRequireShape(test);
  shouldRequirePossessions(test);
  shouldRequireTime(test);
}

async function refuses(
  f: WithGuardians,
  sending: Promise<unknown>,
  error: string,
  args: readonly unknown[],
): Promise<void> {
  await expect(sending)
    .to.be.revertedWithCustomError(f.patients, error)
    .withArgs(...args);
}

function shouldRequireShape({ patientOf, send }: SetCase): void {
  describe("when there are nine guardians, or the threshold is none or above their number", () => {
    it("should revert with GuardiansInvalid", async () => {
      const f = await loadWithGuardians();
      for (const [count, threshold] of [
        [9, 2],
        [3, 0],
        [3, 4],
        [8, 255],
        [0, 1],
      ] as const) {
        const s = await guardianSet(f, await patientOf(f), newGuardians(count), { threshold });
        await refuses(f, send(f, s), "GuardiansInvalid", [count, threshold]);
      }
    });
  });

  describe("when one guardian stands twice, or they are not in the order of their hashes", () => {
    it("should revert with GuardiansInvalid", async () => {
      const f = await loadWithGuardians();
      const [one, two, three] = newGuardians(3);
      for (const guardians of [
        [one!, one!],
        [one!, two!, two!],
        [two!, one!, three!],
        [one!, three!, two!],
      ]) {
        const s = await guardianSet(f, await patientOf(f), guardians);
        await refuses(f, send(f, s), "GuardiansInvalid", [guardians.length, 2]);
      }
    });
  });
}

function shouldRequirePossessions({ patientOf, send }: SetCase): void {
  describe("when a possession lacks, or is one too many", () => {
    it("should revert with GuardiansInvalid", async () => {
      const f = await loadWithGuardians();
      const { set, deadline } = await guardianSet(f, await patientOf(f), newGuardians(3));
      for (const possessions of [set.possessions.slice(1), [...set.possessions, "0x"], []]) {
        const short = { set: { ...set, possessions }, deadline };
        await refuses(f, send(f, short), "GuardiansInvalid", [3, 2]);
      }
    });
  });

  describe("when a possession is another guardian's, for another patient, time or use", () => {
    it("should revert with SignatureInvalid", async () => {
      const f = await loadWithGuardians();
      const patientId = await patientOf(f);
      const guardians = newGuardians(2);
      const { set, deadline } = await guardianSet(f, patientId, guardians);
      const key = guardians[0]!;
      for (const possession of [
        "0x",
        set.possessions[1]!,
        (await guardianSet(f, f.ward.patientId, guardians)).set.possessions[0]!,
        (await guardianSet(f, patientId, guardians, { deadline: deadline + 1 })).set.possessions[0]!,
        await possess(f, patientId, key, deadline),
        await possess(f, patientId, key, deadline, PATIENT_DELEGATE_TYPES),
      ]) {
        const forged = { ...set, possessions: [possession, set.possessions[1]!] };
        await refuses(f, send(f, { set: forged, deadline }), "SignatureInvalid", [patientId]);
      }
    });
  });

  describe("when a guardian already serves another patient, or as somebody's signer", () => {
    it("should revert with KeyInUse", async () => {
      const f = await loadWithGuardians();
      const other = keySigner();
      const { patientId: others } = await registerSigner(f, other);
      for (const [key, owner, use] of [
        [f.ward.guardians[0]!, f.ward.patientId, KeyUse.GUARDIAN],
        [other, others, KeyUse.SIGNER],
        [f.holder.signer, f.holder.patientId, KeyUse.SIGNER],
      ] as const) {
        const s = await guardianSet(f, await patientOf(f), [key]);
        await refuses(f, send(f, s), "KeyInUse", [key.bytes, owner]);
        expect((await f.patients.patientOfKey(key.bytes)).use).to.equal(use);
      }
    });
  });

  describe("when a guardian's key is neither an account nor a passkey", () => {
    it("should revert with KeyUnsupported", async () => {
      const f = await loadWithGuardians();
      for (const bytes of ["0x", `${keySigner().bytes}00`]) {
        const s = await guardianSet(f, await patientOf(f), [{ ...keySigner(), bytes }]);
        await refuses(f, send(f, s), "KeyUnsupported", [bytes]);
      }
    });
  });
}

function shouldRequireTime({ patientOf, send }: SetCase): void {
  describe("when the deadline of the set has passed", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithGuardians();
      const s = await guardianSet(f, await patientOf(f), newGuardians(1));
      await nextBlockAt(s.deadline + 1);
      await refuses(f, send(f, s), "DeadlinePassed", [s.deadline]);
    });
  });

  describe("when the deadline of the set, and the guardians' end, are this second", () => {
    it("should pass", async () => {
      const f = await loadWithGuardians();
      const deadline = (await now()) + 600;
      const s = await guardianSet(f, await patientOf(f), newGuardians(1), { deadline, until: deadline });
      await nextBlockAt(deadline);
      await send(f, s);
    });
  });

  describe("when the guardians ended a second ago", () => {
    it("should revert with DeadlinePassed", async () => {
      const f = await loadWithGuardians();
      const until = (await now()) + 60;
      const s = await guardianSet(f, await patientOf(f), newGuardians(1), {
        until,
        deadline: until + YEAR,
      });
      await nextBlockAt(until + 1);
      await refuses(f, send(f, s), "DeadlinePassed", [until]);
    });
  });
}

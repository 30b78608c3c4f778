// SPDX-License-Identifier: Apache-2.0
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { BaseContract } from "ethers";
import { concat, dataSlice } from "ethers";
import { Role, Suspension, WAITING_TIME, YEAR, nextBlockAt, now } from "../consortium.js";
import type { Consortium } from "../consortium.js";
import type { PairChanges } from "../pairs.js";

/** Revocation reason LEFT. */
const LEFT = 0;
const ALL_ROLES = 15;

/** An act that takes two persons: one sends it, the other signed it. */
export interface PairCase<F extends Consortium> {
  load: () => Promise<F>;
  contract: (f: F) => BaseContract;
  /** Who may, if nothing is changed. */
  pair: (f: F) => { first: HardhatEthersSigner; second: HardhatEthersSigner };
  /** An account of the first's person that could be the second's but for that. */
  twin: (f: F) => HardhatEthersSigner;
  /** A contract account that may be the second, and its key. */
  contractStaff: (f: F) => { account: string; key: HardhatEthersSigner };
  /** The one role that both need; 0: any. */
  role: number;
  /** Fields of the signed struct, each with another value. */
  otherFields: (f: F) => Record<string, unknown>;
  /** Anchors and signs what the act needs; what it returns does the act, once. */
  prepare: (f: F, changes?: PairChanges) => Promise<() => Promise<unknown>>;
}

/** Everything that two persons who act together must be, and all that the second must have signed. */
export function shouldRequirePair<F extends Consortium>(test: PairCase<F>): void {
  for (const which of ["first", "second"] as const) {
    shouldRequireAccountOf(test, which);
    shouldRequireWaited(test, which);
  }
  if (test.role !== 0) shouldRequireRole(test);
  shouldRequireTwoPersons(test);
  shouldBindCosignature(test);
  shouldObeyDeadline(test);
}

function adminOf(f: Consortium, memberId: bigint) {
  return f.members.connect(memberId === 1n ? f.adminA : f.adminB);
}

function shouldRequireAccountOf<F extends Consortium>(test: PairCase<F>, which: "first" | "second"): void {
  const { load, pair, prepare } = test;

  describe(`given the ${which} is no staff`, () => {
    it("should revert with StaffUnknown", async () => {
      const f = await load();
      for (const account of [f.outsider, f.adminA, f.governance]) {
        const act = await prepare(f, { [which]: account });
        await expect(act())
          .to.be.revertedWithCustomError(f.members, "StaffUnknown")
          .withArgs(account.address);
      }
    });
  });

  describe(`given the ${which} is revoked`, () => {
    it("should revert with StaffIsRevoked", async () => {
      const f = await load();
      const account = pair(f)[which];
      const since = (await now()) - 60;
      const { memberId } = await f.members.staffOf(account);
      const act = await prepare(f);
      await adminOf(f, memberId).revokeStaff(account, since, LEFT);
      await expect(act())
        .to.be.revertedWithCustomError(f.members, "StaffIsRevoked")
        .withArgs(account.address, since);
    });
  });

  describe(`given the ${which}'s account ended a second ago`, () => {
    it("should revert with StaffExpired", async () => {
      const f = await load();
      const account = pair(f)[which];
      const { memberId, roles } = await f.members.staffOf(account);
      const act = await prepare(f);
      const notAfter = (await now()) + 600;
      await adminOf(f, memberId).updateStaff(account, roles, notAfter);
      await nextBlockAt(notAfter + 1);
      await expect(act())
        .to.be.revertedWithCustomError(f.members, "StaffExpired")
        .withArgs(account.address, notAfter);
    });
  });

  describe(`given the ${which}'s member was removed`, () => {
    it("should revert with MemberSuspended", async () => {
      const f = await load();
      const { memberId } = await f.members.staffOf(pair(f)[which]);
      const act = await prepare(f);
      await f.members.connect(f.governance).removeMember(memberId);
      await expect(act())
        .to.be.revertedWithCustomError(f.members, "MemberSuspended")
        .withArgs(memberId, Suspension.READING | Suspension.WRITING | Suspension.REMOVED);
    });
  });

  describe(`given the ${which}'s member is suspended from reading and writing`, () => {
    it("should pass", async () => {
      const f = await load();
      const { memberId } = await f.members.staffOf(pair(f)[which]);
      const act = await prepare(f);
      const both = Suspension.READING | Suspension.WRITING;
      await f.members.connect(f.governance).setSuspension(memberId, both);
      await act();
    });
  });
}

function shouldRequireWaited<F extends Consortium>(test: PairCase<F>, which: "first" | "second"): void {
  const { load, pair, prepare } = test;

  /** A new role starts the waiting time anew. Returns when it is over. */
  async function begin(f: F): Promise<number> {
    const { memberId, roles, notAfter } = await f.members.staffOf(pair(f)[which]);
    const since = await nextBlockAt();
    await adminOf(f, memberId).updateStaff(pair(f)[which], Number(roles) ^ Role.RELEASER, notAfter);
    return since + WAITING_TIME;
  }

  describe(`given the ${which} is a second short of the waiting time`, () => {
    it("should revert with StaffTooNew", async () => {
      const f = await load();
      const seasonedAt = await begin(f);
      const act = await prepare(f);
      await nextBlockAt(seasonedAt - 1);
      await expect(act())
        .to.be.revertedWithCustomError(f.members, "StaffTooNew")
        .withArgs(pair(f)[which].address, seasonedAt);
    });
  });

  describe(`given the ${which}'s waiting time ends this second`, () => {
    it("should pass", async () => {
      const f = await load();
      const seasonedAt = await begin(f);
      const act = await prepare(f);
      await nextBlockAt(seasonedAt);
      await act();
    });
  });
}

function shouldRequireRole<F extends Consortium>({ load, pair, prepare, role }: PairCase<F>): void {
  for (const which of ["first", "second"] as const) {
    describe(`given the ${which} lacks the role`, () => {
      it("should revert with StaffRoleMissing", async () => {
        const f = await load();
        const account = pair(f)[which];
        const { memberId, notAfter } = await f.members.staffOf(account);
        const act = await prepare(f);
        await adminOf(f, memberId).updateStaff(account, ALL_ROLES & ~role, notAfter);
        await expect(act())
          .to.be.revertedWithCustomError(f.members, "StaffRoleMissing")
          .withArgs(account.address, role);
      });
    });
  }
}

function shouldRequireTwoPersons<F extends Consortium>(test: PairCase<F>): void {
  const { load, pair, twin, prepare, contract } = test;

  for (const [when, second] of [
    ["when the second is the first himself", (f: F) => pair(f).first],
    ["when the second is another account of the first's person", twin],
  ] as const) {
    describe(when, () => {
      it("should revert with SamePerson", async () => {
        const f = await load();
        const { personId } = await f.members.staffOf(pair(f).first);
        const act = await prepare(f, { second: second(f) });
        await expect(act()).to.be.revertedWithCustomError(contract(f), "SamePerson").withArgs(personId);
      });
    });
  }
}

function shouldBindCosignature<F extends Consortium>(test: PairCase<F>): void {
  const { load, pair, prepare, contract, otherFields, contractStaff } = test;
  const wrong: [string, (f: F) => Promise<PairChanges[]>][] = [
    ["when another person signed for the second", async (f) => [{ key: f.outsider }, { key: pair(f).first }]],
    ["when the second signed for another to send", async (f) => [{ named: f.outsider.address }]],
    ["when the second's signature is for another chain", async () => [{ domain: { chainId: 1 } }]],
    [
      "when the second's signature is for another contract",
      async (f) => [{ domain: { verifyingContract: await f.members.getAddress() } }],
    ],
    ["when the second's signature is for another version", async () => [{ domain: { version: "2" } }]],
    [
      "when the second signed something else",
      async (f) => Object.entries(otherFields(f)).map(([field, value]) => ({ signed: { [field]: value } })),
    ],
    [
      "when another deadline is sent than the second signed",
      async () => [{ sentDeadline: (await now()) + 2 * YEAR }],
    ],
    [
      "when the second's signature is cut short, extended or empty",
      async () => [
        { forge: (signature) => dataSlice(signature, 0, 64) },
        { forge: (signature) => concat([signature, "0x00"]) },
        { forge: () => "0x" },
      ],
    ],
  ];
  for (const [when, changes] of wrong) {
    describe(when, () => {
      it("should revert with CosignatureInvalid", async () => {
        const f = await load();
        for (const change of await changes(f)) {
          const act = await prepare(f, change);
          await expect(act())
            .to.be.revertedWithCustomError(contract(f), "CosignatureInvalid")
            .withArgs(pair(f).second.address);
        }
      });
    });
  }

  describe("given the second is a contract account", () => {
    it("should pass when the account's key signed, and revert with CosignatureInvalid otherwise", async () => {
      const f = await load();
      const { account, key } = contractStaff(f);
      const forged = await prepare(f, { account, key: f.outsider });
      await expect(forged())
        .to.be.revertedWithCustomError(contract(f), "CosignatureInvalid")
        .withArgs(account);
      const act = await prepare(f, { account, key });
      await act();
    });
  });
}

function shouldObeyDeadline<F extends Consortium>({ load, prepare, contract }: PairCase<F>): void {
  describe("when the second's deadline passed a second ago", () => {
    it("should revert with CosignatureExpired", async () => {
      const f = await load();
      const deadline = (await now()) + 600;
      const act = await prepare(f, { deadline });
      await nextBlockAt(deadline + 1);
      await expect(act()).to.be.revertedWithCustomError(contract(f), "CosignatureExpired").withArgs(deadline);
    });
  });

  describe("when the second's deadline is this second", () => {
    it("should pass", async () => {
      const f = await load();
      const deadline = (await now()) + 600;
      const act = await prepare(f, { deadline });
      await nextBlockAt(deadline);
      await act();
    });
  });
}

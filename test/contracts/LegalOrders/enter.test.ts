// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { LeafKind } from "../../../src/crypto/index.js";
import { shouldRequireDocument } from "../behaviours/document.js";
import { shouldRequirePair } from "../behaviours/pair.js";
import { Purpose, Role, ethers, nextBlockAt, now } from "../consortium.js";
import { TERMS_WORDS, callDirtied } from "../dirty-words.js";
import { termsHashOf } from "../fixtures.js";
import { expectHeadAdvance } from "../heads.js";
import {
  anchorOrder,
  cosignEntry,
  enterOrder,
  liftOrder,
  orderTerms,
  prepareEntry,
  reviewersOf,
} from "../orders.js";
import { loadWithStaff } from "../witnesses.js";
import type { WithStaff } from "../witnesses.js";

/** An order ready to be entered. */
async function ready(f: WithStaff, changes: Record<string, unknown> = {}) {
  const terms = await orderTerms(f.unable, changes);
  const document = await anchorOrder(f, f.unable, termsHashOf(terms));
  const act = await prepareEntry(f, terms);
  return { terms, termsHash: termsHashOf(terms), document, act: () => act(document) };
}

describe("LegalOrders.enter", () => {
  shouldRequirePair({
    load: loadWithStaff,
    contract: (f) => f.orders,
    pair: reviewersOf,
    twin: (f) => f.twinOfReviewerA,
    contractStaff: (f) => f.contractReviewer,
    role: Role.REVIEWER,
    otherFields: () => ({ termsHash: id("other terms") }),
    prepare: async (f, changes) => {
      const terms = await orderTerms(f.unable);
      const document = await anchorOrder(f, f.unable, termsHashOf(terms));
      const act = await prepareEntry(f, terms, changes);
      return () => act(document);
    },
  });

  shouldRequireDocument({
    load: loadWithStaff,
    contract: (f) => f.orders,
    kind: LeafKind.LEGAL_ORDER,
    prepare: async (f) => {
      const terms = await orderTerms(f.unable);
      return { patientId: f.unable, ref: termsHashOf(terms), act: await prepareEntry(f, terms) };
    },
    document: anchorOrder,
  });

  describe("when both reviewers are of one member", () => {
    it("should revert with ReviewersOfOneMember", async () => {
      const f = await loadWithStaff();
      const terms = await orderTerms(f.unable);
      const document = await anchorOrder(f, f.unable, termsHashOf(terms));
      const act = await prepareEntry(f, terms, { first: f.secondReviewerB });
      await expect(act(document)).to.be.revertedWithCustomError(f.orders, "ReviewersOfOneMember").withArgs(2);
    });
  });

  describe("when another reviewer sends the reviewers' transaction", () => {
    it("should revert with CosignatureInvalid", async () => {
      const f = await loadWithStaff();
      const { terms, document, termsHash } = await ready(f);
      const second = await cosignEntry(f, termsHash);
      await expect(f.orders.connect(f.secondReviewerB).enter(terms, document, second))
        .to.be.revertedWithCustomError(f.orders, "CosignatureInvalid")
        .withArgs(second.account);
    });
  });

  describe("when the purposes are not HLEGAL alone", () => {
    it("should revert with TermsPurposesInvalid", async () => {
      const f = await loadWithStaff();
      const legal = 1 << Purpose.HLEGAL;
      const others = Array.from({ length: 16 }, (_, purpose) => 1 << purpose).filter((bit) => bit !== legal);
      for (const purposes of [0, ...others, ...others.map((bit) => bit | legal)]) {
        const { act } = await ready(f, { purposes });
        await expect(act())
          .to.be.revertedWithCustomError(f.orders, "TermsPurposesInvalid")
          .withArgs(purposes);
      }
    });
  });

  describe("when the terms are not well formed", () => {
    it("should revert with the error of the terms", async () => {
      const f = await loadWithStaff();
      for (const [changes, error, args] of [
        [{ format: 2 }, "TermsFormatUnsupported", [2]],
        [{ notBefore: 2, notAfter: 1 }, "TermsPeriodInvalid", [2, 1]],
        [{ recordedFrom: 2, recordedTo: 1 }, "TermsRecordedPeriodInvalid", [2, 1]],
        [{ compartments: 0n }, "TermsCompartmentsEmpty", []],
      ] as const) {
        const { act } = await ready(f, changes);
        await expect(act())
          .to.be.revertedWithCustomError(f.orders, error)
          .withArgs(...args);
      }
    });
  });

  describe("when the order's period ends this second", () => {
    it("should pass", async () => {
      const f = await loadWithStaff();
      const notAfter = (await now()) + 600;
      const { act } = await ready(f, { notAfter });
      await nextBlockAt(notAfter);
      await act();
    });
  });

  describe("when the order's period ended a second ago", () => {
    it("should revert with TermsPeriodInvalid", async () => {
      const f = await loadWithStaff();
      const notAfter = (await now()) + 600;
      const { terms, act } = await ready(f, { notAfter });
      await nextBlockAt(notAfter + 1);
      await expect(act())
        .to.be.revertedWithCustomError(f.orders, "TermsPeriodInvalid")
        .withArgs(terms.notBefore, notAfter);
    });
  });

  describe("when the grantee is no member", () => {
    it("should revert with MemberUnknown", async () => {
      const f = await loadWithStaff();
      for (const grantee of [0, 4]) {
        const { act } = await ready(f, { grantee });
        await expect(act()).to.be.revertedWithCustomError(f.members, "MemberUnknown").withArgs(grantee);
      }
    });
  });

  describe("given no such patient", () => {
    it("should revert with PatientUnknown", async () => {
      const f = await loadWithStaff();
      await expect(enterOrder(f, id("nobody")))
        .to.be.revertedWithCustomError(f.patients, "PatientUnknown")
        .withArgs(id("nobody"));
    });
  });

  describe("given the order was entered", () => {
    it("should revert with OrderAlreadyEntered, also after it was lifted", async () => {
      const f = await loadWithStaff();
      const { patientId, terms, termsHash, document } = await enterOrder(f);
      const again = await prepareEntry(f, terms);
      const refused = () =>
        expect(again(document))
          .to.be.revertedWithCustomError(f.orders, "OrderAlreadyEntered")
          .withArgs(patientId, termsHash);
      await refused();
      await liftOrder(f, patientId, termsHash);
      await refused();
    });
  });

  describe("when a word of the terms has bits outside its type", () => {
    it("should revert without a reason", async () => {
      const f = await loadWithStaff();
      const { terms, document, termsHash } = await ready(f);
      const small = { ...terms, compartments: 1n };
      const second = await cosignEntry(f, termsHash);
      const data = f.orders.interface.encodeFunctionData("enter", [small, document, second]);
      const call = { from: f.reviewerA, to: await f.orders.getAddress(), data };
      for (const [word, field] of TERMS_WORDS.entries()) {
        if (["patientId", "salt"].includes(field)) continue; // whole words
        await expect(callDirtied(call, word), field).to.be.revertedWithoutReason(ethers);
      }
    });
  });

  describe("when reviewers of two members enter an anchored order", () => {
    it("should emit OrderEntered and return the terms hash", async () => {
      const f = await loadWithStaff();
      const { terms, document, termsHash } = await ready(f);
      const second = await cosignEntry(f, termsHash);
      const first = f.orders.connect(f.reviewerA);
      expect(await first.enter.staticCall(terms, document, second)).to.equal(termsHash);
      const enteredAt = await nextBlockAt();
      await expect(first.enter(terms, document, second))
        .to.emit(f.orders, "OrderEntered")
        .withArgs(
          f.unable,
          termsHash,
          terms.grantee,
          Object.values(terms),
          f.reviewerA.address,
          second.account,
          document.leaf.index,
          enteredAt,
        );
    });

    it("should store the custodian and the time", async () => {
      const f = await loadWithStaff();
      const { termsHash, act } = await ready(f);
      const enteredAt = await nextBlockAt();
      await act();
      expect(await f.orders.orderOf(f.unable, termsHash)).to.deep.equal([1n, BigInt(enteredAt), 0n]);
    });

    it("should advance the patient's head by its event", async () => {
      const f = await loadWithStaff();
      for (let orders = 0; orders < 2; orders += 1) {
        const { act } = await ready(f);
        await expectHeadAdvance(f.orders, f.unable, act);
      }
    });

    it("should take the custodian's own member as grantee, and reviewers in either order", async () => {
      const f = await loadWithStaff();
      const terms = await orderTerms(f.unable, { grantee: 1 });
      const document = await anchorOrder(f, f.unable, termsHashOf(terms));
      const act = await prepareEntry(f, terms, { first: f.reviewerB, second: f.reviewerA });
      await act(document);
    });
  });
});

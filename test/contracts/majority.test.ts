// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Purpose, anchorLeaves, keySigner, nextBlockAt, now, signTerms, termsFor } from "./consortium.js";
import type { PatientSigner } from "./consortium.js";
import { termsHashOf } from "./fixtures.js";
import { completeChange, registerGuarded } from "./proxies.js";
import { revokeTerms } from "./patient-acts.js";
import { loadWithStaff } from "./witnesses.js";
import type { WithStaff } from "./witnesses.js";

const DAY = 86_400;

/** A child whose parents sign until the day before majority; what they granted lasts as long as they may. */
async function childWithGrant() {
  const f = await loadWithStaff();
  const majority = (await now()) + 30 * DAY;
  const child = await registerGuarded(f, { until: majority - 1 });
  const entries = await anchorLeaves(f, child.patientId, 1);
  const terms = await termsFor(child.patientId, { notAfter: majority - 1 });
  await f.consents.grant(terms, await signTerms(f, child.wallet, terms));
  const request = () => f.accessLog.connect(f.clinicianB).requestRecords(terms, Purpose.TREAT, entries);
  return { f, majority, child, terms, request };
}

/** The grown child's first key: by the custodian and another member's reviewer, after the delay. */
async function firstKey(f: WithStaff, patientId: string): Promise<PatientSigner & { from: number }> {
  const signer = keySigner();
  const { loosensFrom } = await completeChange(f, patientId, { kind: "SIGNER", signer });
  return { ...signer, from: loosensFrom };
}

describe("When a child comes of age", () => {
  it("what the parents granted permits until the last second before, and never after", async () => {
    const { f, majority, request } = await childWithGrant();
    await nextBlockAt(majority - 1);
    await request();
    await nextBlockAt(majority);
    await expect(request()).to.be.revertedWithCustomError(f.accessLog, "GrantExpired");
  });

  it("the parents grant nothing more", async () => {
    const { f, majority, child } = await childWithGrant();
    const terms = await termsFor(child.patientId, { notAfter: majority + DAY });
    const signature = await signTerms(f, child.wallet, terms);
    await expect(f.consents.grant(terms, signature))
      .to.be.revertedWithCustomError(f.consents, "GrantOutlasts")
      .withArgs(child.patientId, majority - 1);
    await nextBlockAt(majority);
    await expect(f.consents.grant(terms, signature))
      .to.be.revertedWithCustomError(f.patients, "GuardiansExpired")
      .withArgs(child.patientId, majority - 1);
  });

  it("a first key of one's own revokes at once, and grants after the delay", async () => {
    const { f, majority, child, terms } = await childWithGrant();
    const { patientId } = child;
    await nextBlockAt(majority);
    const key = await firstKey(f, patientId);
    await revokeTerms(f, { patientId, wallet: key }, termsHashOf(terms));
    const own = await termsFor(patientId);
    const signature = await signTerms(f, key, own);
    await expect(f.consents.grant(own, signature))
      .to.be.revertedWithCustomError(f.patients, "LoosensLater")
      .withArgs(patientId, key.from);
    await nextBlockAt(key.from);
    await f.consents.grant(own, signature);
  });
});

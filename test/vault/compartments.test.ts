// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import type { Hex } from "../../src/crypto/bytes.js";
import { compartmentPermutation } from "../../src/vault/compartment-names.js";
import { DEFAULT_COMPARTMENTS, passphrase, Vault } from "../../src/vault/index.js";
import { PASSPHRASE, randomId, refusal, TemporaryVault } from "./temporary-vault.js";

describe("compartments", () => {
  let made: TemporaryVault;
  beforeEach(async () => {
    made = await TemporaryVault.make();
  });
  afterEach(() => made[Symbol.dispose]());

  const enrol = (): Hex => {
    const patientId = randomId();
    made.vault.addPatient({ patientId, seed: randomBytes(32), identifiers: [] });
    return patientId;
  };

  it("have the default names, each with its own number below 64", () => {
    const numbers = made.vault.compartments(enrol());
    expect(Object.keys(numbers)).to.deep.equal([...DEFAULT_COMPARTMENTS]);
    expect(new Set(Object.values(numbers)).size).to.equal(DEFAULT_COMPARTMENTS.length);
    expect(Object.values(numbers).every((number) => number >= 0 && number < 64)).to.equal(true);
  });

  it("keep a patient's numbers when names come after and the vault is opened again", async () => {
    const patientId = enrol();
    const before = made.vault.compartments(patientId);
    const research = made.vault.compartmentOf(patientId, "research-study-7");
    expect(Object.values(before)).to.not.include(research);
    using again = await Vault.open(made.path, passphrase(PASSPHRASE));
    expect(again.compartments(patientId)).to.deep.equal({ ...before, "research-study-7": research });
    expect(again.compartmentOf(patientId, "hiv")).to.equal(before["hiv"]);
  });

  it("have numbers that mean nothing for another patient", () => {
    const numbers = Array.from({ length: 60 }, () => made.vault.compartmentOf(enrol(), "hiv"));
    // 60 draws of 64 have about 39 different values; 20 or fewer happen less than once in 10^9 times.
    expect(new Set(numbers).size).to.be.greaterThan(20);
  });

  it("are 64 at most", () => {
    const patientId = enrol();
    const numbers = Object.values(made.vault.compartments(patientId));
    for (let extra = DEFAULT_COMPARTMENTS.length; extra < 64; extra++) {
      numbers.push(made.vault.compartmentOf(patientId, `extra-${extra}`));
    }
    expect(numbers.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 64 }, (_, number) => number));
    refusal("ERR_USAGE", () => made.vault.compartmentOf(patientId, "one-too-many"));
    expect(Object.keys(made.vault.compartments(patientId))).to.have.lengthOf(64);
  });

  it("refuse unsuitable names and unknown patients", () => {
    const patientId = enrol();
    for (const name of ["", "HIV", "sexual health", "-a", "a".repeat(65), "__proto__"]) {
      refusal("ERR_USAGE", () => made.vault.compartmentOf(patientId, name));
    }
    refusal("ERR_PATIENT_UNKNOWN", () => made.vault.compartmentOf(randomId(), "hiv"));
    refusal("ERR_PATIENT_UNKNOWN", () => made.vault.compartments(randomId()));
  });

  it("never start over when the list of names was deleted", () => {
    const patientId = enrol();
    made.tamper((database) => database.exec("DELETE FROM settings"));
    refusal("ERR_VAULT_DAMAGED", () => made.vault.compartmentOf(patientId, "hiv"));
  });
});

describe("compartmentPermutation", () => {
  it("is a permutation of 0..63 that the key alone decides", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const numbers = compartmentPermutation(key);
        expect([...numbers].sort((a, b) => a - b)).to.deep.equal(
          Array.from({ length: 64 }, (_, number) => number),
        );
        expect(compartmentPermutation(key)).to.deep.equal(numbers);
      }),
    );
  });

  it("stays the same from release to release", () => {
    // Numbers are anchored for good: a change here would file old and new records apart.
    // The expected numbers come from a second implementation, in Python.
    expect(compartmentPermutation(new Uint8Array(32)).join(" ")).to.equal(
      "27 43 2 8 59 5 53 62 44 46 30 45 16 49 26 22 15 56 21 1 33 58 61 19 3 51 23 47 6 35 18 29 32 11 57 37 38 24 4 48 54 0 36 20 31 63 14 10 42 39 55 34 17 52 12 60 50 13 25 41 7 28 9 40",
    );
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { bitmapOf, hashTerms, makeTerms, termsSchema, type Terms } from "../../src/consent/terms.js";
import { PURPOSES, purposeCode, purposeNumber } from "../../src/consent/purposes.js";
import type { TermsRequest } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { ChartsealError } from "../../src/errors.js";
import { sharing, type Sharing } from "../support/sharing.js";

const patient: Hex = `0x${"ab".repeat(32)}`;
const request: TermsRequest = {
  patient,
  grantee: 2,
  purposes: ["TREAT"],
  notAfter: new Date("2030-01-02T03:04:05.678Z"),
};

const hex32 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes): Hex => `0x${Buffer.from(bytes).toString("hex")}`);
const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const anyTerms: fc.Arbitrary<Terms> = fc.record({
  format: fc.constant(1 as const),
  patientId: hex32,
  grantee: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  compartments: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  purposes: uint(16),
  notBefore: uint(48),
  notAfter: uint(48),
  recordedFrom: uint(32),
  recordedTo: uint(32),
  salt: hex32,
});

describe("makeTerms", () => {
  it("fills in all compartments, all days and a minute back, and a new salt each time", () => {
    const terms = makeTerms(request);
    const now = Date.now() / 1000;
    expect(terms).to.deep.include({
      format: 1,
      patientId: patient,
      grantee: 2,
      compartments: "18446744073709551615",
      purposes: 1,
      notAfter: Date.UTC(2030, 0, 2, 3, 4, 5) / 1000,
      recordedFrom: 0,
      recordedTo: 4_294_967_295,
    });
    expect(terms.notBefore).to.be.within(now - 62, now - 58);
    expect(makeTerms(request).salt).not.to.equal(terms.salt);
  });

  it("numbers compartments, purposes and days as the contracts do", () => {
    const terms = makeTerms({
      ...request,
      compartments: [0, 63, 5],
      purposes: ["TREAT", "PUBHLTH"],
      recordedFrom: new Date("1969-07-20"),
      recordedTo: new Date("2024-02-29T23:59:59Z"),
    });
    expect(BigInt(terms.compartments)).to.equal(1n | (1n << 63n) | (1n << 5n));
    expect(terms.purposes).to.equal(1 | (1 << 6));
    expect([terms.recordedFrom, terms.recordedTo]).to.deep.equal([0, 19_782]);
  });

  const refused: Record<string, Partial<TermsRequest>> = {
    "that end before they begin": { notBefore: new Date("2031-01-01") },
    "with a date that is none": { notAfter: new Date("soon") },
    "with a begin that is no date": { notBefore: new Date(NaN) },
    "with a day that is none": { recordedFrom: new Date(NaN) },
    "with days that end before they begin": {
      recordedFrom: new Date("2024-02-02"),
      recordedTo: new Date("2024-02-01"),
    },
    "without a purpose": { purposes: [] },
    "with an unknown purpose": { purposes: ["CURIOSITY" as "TREAT"] },
    "with a purpose that no grant can give": { purposes: ["TREAT", "BTG"] },
    "without a compartment": { compartments: [] },
    "with a compartment past 63": { compartments: [64] },
    "with half a compartment": { compartments: [1.5] },
    "for no member": { grantee: 0 },
    "for a member past the last": { grantee: 2 ** 32 },
    "for half a member": { grantee: 1.5 },
    "of a patient without an id": { patient: "0x" },
    "of a patient in capitals": { patient: patient.toUpperCase() as Hex },
  };
  for (const [what, changes] of Object.entries(refused)) {
    it(`makes no terms ${what}`, () => {
      expect(() => makeTerms({ ...request, ...changes }))
        .to.throw(ChartsealError)
        .with.property("code", "ERR_USAGE");
    });
  }
});

describe("termsSchema", () => {
  it("takes all that fit the contract's words, and nothing that does not", () => {
    fc.assert(fc.property(anyTerms, (terms) => termsSchema.safeParse(terms).success));
    const terms = makeTerms(request);
    for (const compartments of [
      "18446744073709551616",
      "01",
      "-1",
      "1n",
      "0x1",
      "",
      "1e3",
      "99999999999999999999",
    ]) {
      expect(termsSchema.safeParse({ ...terms, compartments }).success, compartments).to.equal(false);
    }
    for (const changes of [
      { extra: 1 },
      { notAfter: 2 ** 48 },
      { purposes: 2 ** 16 },
      { format: 2 },
      { salt: "0x12" },
    ]) {
      expect(termsSchema.safeParse({ ...terms, ...changes }).success).to.equal(false);
    }
  });
});

describe("purposes", () => {
  it("have the contract's numbers", () => {
    for (const [number, code] of PURPOSES.entries()) {
      expect(purposeNumber(code)).to.equal(number);
      expect(purposeCode(number)).to.equal(code);
    }
    for (const wrong of ["treat", "", "toString"])
      expect(() => purposeNumber(wrong)).to.throw(ChartsealError);
    expect(() => purposeCode(10)).to.throw(ChartsealError);
  });
});

describe("bitmapOf", () => {
  it("sets the bit of each number, however often it is named", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 63 })), (numbers) => {
        const bitmap = bitmapOf(numbers);
        for (let bit = 0; bit < 64; bit++) {
          if (((bitmap >> BigInt(bit)) & 1n) !== (numbers.includes(bit) ? 1n : 0n)) return false;
        }
        return bitmap < 1n << 64n;
      }),
    );
  });
});

describe("hashTerms", function () {
  this.timeout(60_000);
  let s: Sharing;

  before(async () => {
    s = await sharing();
  });

  it("is the contract's hash", async () => {
    const property = fc.asyncProperty(anyTerms, async (terms) => {
      expect(await s.a.chain.consents.hashTerms(terms)).to.equal(hashTerms(terms));
    });
    await fc.assert(property, { numRuns: 40 });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import {
  LOOKUP_ENTRY_LENGTH,
  blindIdentifier,
  blindedDigest,
  evaluateBlinded,
  findInTable,
  finishLookup,
  lookupRow,
  makeLookupKey,
  makeLookupTable,
} from "../../src/crypto/index.js";
import { expectCode } from "./expect-code.js";
import { vectors } from "./vectors.js";

interface Voprf {
  seed: string;
  keyInfo: string;
  skSm: string;
  pkSm: string;
  vectors: Record<"input" | "blind" | "blinded" | "evaluated" | "proof" | "output", string>[];
}

const SYSTEM = "https://hospital.example/mrn";
const PATIENT = new Uint8Array(32).fill(7);
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");

describe("looking up a patient", () => {
  const key = makeLookupKey();
  const row = (value: string) => ({ ...lookupRow(key, SYSTEM, value), patientId: PATIENT });

  it("evaluates as RFC 9497 A.1.2 does, and takes its proofs", () => {
    const { seed, keyInfo, skSm, pkSm, vectors: rows } = vectors<Voprf>("voprf-ristretto255.json");
    const { secretKey, publicKey } = ristretto255_oprf.voprf.deriveKeyPair(bytes(seed), bytes(keyInfo));
    expect([hex(secretKey), hex(publicKey)]).to.deep.equal([skSm, pkSm]);
    expect(rows).to.have.length(2);
    for (const { input, blind, blinded, evaluated, proof, output } of rows) {
      const made = evaluateBlinded({ secretKey, publicKey }, bytes(blinded));
      expect(hex(made.evaluated)).to.equal(evaluated);
      for (const given of [made.proof, bytes(proof)]) {
        const { voprf } = ristretto255_oprf;
        const found = voprf.finalize(
          bytes(input),
          bytes(blind),
          made.evaluated,
          bytes(blinded),
          publicKey,
          given,
        );
        expect(hex(found)).to.equal(output);
      }
    }
  });

  it("finds the row of the very identifier, and of no other", () => {
    const table = makeLookupTable([row("4711"), row("4712")]);
    fc.assert(
      fc.property(fc.oneof(fc.constant("4711"), fc.string()), (value) => {
        const asked = blindIdentifier(SYSTEM, value);
        const found = findInTable(table, finishLookup(asked, evaluateBlinded(key, asked.blinded)));
        const known = value === "4711" || value === "4712";
        expect(found).to.equal(known ? `0x${hex(PATIENT)}` : undefined);
      }),
      { numRuns: 20 },
    );
  });

  it("tells system and value apart", () => {
    expect(lookupRow(key, "ab", "c").tag).to.not.deep.equal(lookupRow(key, "a", "bc").tag);
  });

  it("shows the custodian another blinded element each time, and the chain another digest", () => {
    const [one, two] = [blindIdentifier(SYSTEM, "4711"), blindIdentifier(SYSTEM, "4711")];
    expect(hex(one.blinded)).to.not.equal(hex(two.blinded));
    expect(one.digest).to.not.equal(two.digest);
    expect(one.digest).to.equal(blindedDigest(one.blinded));
  });

  it("refuses an evaluation under another key than the proof's, or a proof that was changed", async () => {
    const asked = blindIdentifier(SYSTEM, "4711");
    const right = evaluateBlinded(key, asked.blinded);
    const { evaluated } = evaluateBlinded(makeLookupKey(), asked.blinded);
    const proof = right.proof.map((byte, at) => (at === 0 ? byte ^ 1 : byte));
    for (const wrong of [{ evaluated }, { proof }, { publicKey: makeLookupKey().publicKey }]) {
      await expectCode("ERR_EXCHANGE_INVALID", () => finishLookup(asked, { ...right, ...wrong }));
    }
  });

  it("refuses a blinded element that is none: the identity, too short, or not of the group", async () => {
    for (const blinded of [new Uint8Array(32), new Uint8Array(31), new Uint8Array(32).fill(255)]) {
      await expectCode("ERR_EXCHANGE_INVALID", () => evaluateBlinded(key, blinded));
    }
  });

  it("hides how many patients there are, and in what order they came", () => {
    const one = row("x");
    const rows = (count: number) => Array.from({ length: count }, (_, at) => ({ ...one, tag: bytesOf(at) }));
    for (const count of [0, 1, 1_024]) {
      expect(makeLookupTable(rows(count))).to.have.length(1_024 * LOOKUP_ENTRY_LENGTH);
    }
    expect(makeLookupTable(rows(1_025))).to.have.length(2_048 * LOOKUP_ENTRY_LENGTH);
    expect(hex(makeLookupTable([row("1"), row("2")]))).to.not.equal(
      hex(makeLookupTable([row("1"), row("2")])),
    );
  });

  it("names a damaged table", async () => {
    const found = lookupRow(key, SYSTEM, "4711");
    const table = makeLookupTable([row("4711")]);
    await expectCode("ERR_EXCHANGE_INVALID", () => findInTable(table.subarray(1), found));
    const at = Buffer.from(table).indexOf(found.tag);
    table[at + LOOKUP_ENTRY_LENGTH - 1]! ^= 1;
    await expectCode("ERR_EXCHANGE_INVALID", () => findInTable(table, found));
  });

  it("refuses an identifier that is longer than any is", async () => {
    await expectCode("ERR_USAGE", () => blindIdentifier(SYSTEM, "1".repeat(5_000)));
  });
});

function bytesOf(number: number): Uint8Array {
  const tag = new Uint8Array(16);
  new DataView(tag.buffer).setUint32(0, number);
  return tag;
}

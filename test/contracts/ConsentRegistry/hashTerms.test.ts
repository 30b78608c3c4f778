// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { dataSlice } from "ethers";
import { termsFor } from "../consortium.js";
import { TERMS_WORDS, callDirtied, dirtied } from "../dirty-words.js";
import { hashTermsWords, loadWithPatient, termsHashOf } from "../fixtures.js";

describe("ConsentRegistry.hashTerms", () => {
  it("should return the EIP-712 struct hash", async () => {
    const f = await loadWithPatient();
    for (const changes of [{}, { compartments: 1n }, { purposes: 127, recordedTo: 1 }]) {
      const terms = await termsFor(f.patient.patientId, changes);
      expect(await f.consents.hashTerms(terms)).to.equal(termsHashOf(terms));
    }
  });

  describe("when a word has bits outside its type", () => {
    it("should return the hash of that word, which is of no terms", async () => {
      const f = await loadWithPatient();
      const terms = await termsFor(f.patient.patientId, { compartments: 1n });
      const data = f.consents.interface.encodeFunctionData("hashTerms", [terms]);
      const call = { from: f.outsider, to: await f.consents.getAddress(), data };
      for (const [word, field] of TERMS_WORDS.entries()) {
        if (["patientId", "salt"].includes(field)) continue; // whole words
        const termsHash = await callDirtied(call, word);
        expect(termsHash, field).to.equal(hashTermsWords(dataSlice(dirtied(data, word), 4)));
        expect(termsHash, field).to.not.equal(termsHashOf(terms));
      }
    });
  });
});

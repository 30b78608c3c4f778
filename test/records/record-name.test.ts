// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { basename, resolve } from "node:path";
import { recordFileName } from "../../src/records/record-name.js";

describe("the file name of an opened record", () => {
  it("shows index, source key and kind", () => {
    expect(recordFileName(17, "Observation/a-1", "application/fhir+json")).to.equal(
      "17-Observation_a-1.json",
    );
    expect(recordFileName(3, "ward-3/scan 7.DCM", "application/dicom")).to.equal("3-ward-3_scan_7.dcm");
    expect(recordFileName(4, "病历/住院.pdf", "application/pdf")).to.equal("4-病历_住院.pdf");
    expect(recordFileName(5, "", "application/x-unheard-of")).to.equal("5.bin");
    expect(recordFileName(6, "a/b", "text/plain; charset=utf-8")).to.equal("6-a_b.txt");
    for (const word of ["__proto__", "constructor", "toString"]) {
      expect(recordFileName(7, "x", word)).to.equal("7-x.bin");
    }
  });

  const hostile = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({
      unit: fc.constantFrom("/", "\\", ".", "..", "\0", "\n", "\u202e", "-", "~", "a", "\u001b[2J"),
    }),
    fc.constantFrom(
      "../../etc/passwd",
      "..\\..\\x",
      "/etc/shadow",
      "...",
      ".ssh/id",
      "CON",
      "a\0.json",
      "-rf",
    ),
  );

  it("never leaves its folder, is never hidden, long or shown otherwise than it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), hostile, hostile, (index, key, mediaType) => {
        const name = recordFileName(index, key, mediaType);
        expect(basename(name)).to.equal(name);
        expect(resolve("/out", name)).to.equal(`/out/${name}`);
        expect(name).to.match(/^\d+(-[\p{L}\p{N}_-]+)?\.[a-z0-9]{1,8}$/u);
        expect(Array.from(name).length).to.be.at.most(120);
        expect(name.startsWith(String(index))).to.be.true;
      }),
    );
  });

  it("tells two records apart by their index", () => {
    expect(recordFileName(1, "x", "text/plain")).not.to.equal(recordFileName(2, "x", "text/plain"));
  });
});

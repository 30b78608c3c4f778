// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { ENTRY_STATUS, ROLES, SUSPENSIONS, WITHDRAWN, bitNames } from "../../src/chain/index.js";

/** The single bits that a library of the contracts declares, in its order. */
function bitsOf(library: string): Record<string, number> {
  const text = readFileSync(new URL(`../../contracts/libraries/${library}.sol`, import.meta.url), "utf8");
  return Object.fromEntries(
    [...text.matchAll(/constant (\w+) = 1 << (\d+);/g)].map(([, name = "", bit]) => [name, 1 << Number(bit)]),
  );
}

describe("bits that the contracts keep in one word", () => {
  it("are those that the contracts' libraries declare", () => {
    expect(ROLES).to.deep.equal(bitsOf("Roles"));
    expect(SUSPENSIONS).to.deep.equal(bitsOf("Suspension"));
    expect(ENTRY_STATUS).to.deep.equal(bitsOf("EntryStatus"));
    expect(bitNames(ENTRY_STATUS, WITHDRAWN)).to.deep.equal(["RETRACTED", "ERASED"]);
  });

  it("have their names, lowest first", () => {
    expect(bitNames(ROLES, 0)).to.deep.equal([]);
    expect(bitNames(ROLES, 10)).to.deep.equal(["CLINICIAN", "RELEASER"]);
    expect(bitNames(SUSPENSIONS, 7)).to.deep.equal(["READING", "WRITING", "REMOVED"]);
  });
});

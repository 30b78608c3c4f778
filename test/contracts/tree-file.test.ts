// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { drawTree, leafPaths } from "./tree-file.js";

const TREE = `Contract.act
├── when the caller is unknown
│  └── it should revert with Unknown
└── when the caller is known
   ├── given nothing yet
   │  └── it should store it
   └── it should emit Acted
`;

describe("A .tree file", () => {
  it("should give the path of every leaf", () => {
    expect(leafPaths(TREE)).to.deep.equal([
      "Contract.act > when the caller is unknown > should revert with Unknown",
      "Contract.act > when the caller is known > given nothing yet > should store it",
      "Contract.act > when the caller is known > should emit Acted",
    ]);
  });

  it("should be drawn again from its paths", () => {
    expect(drawTree(leafPaths(TREE))).to.equal(TREE);
  });

  it("should be refused with the line that does not fit", () => {
    const wrong: [string, string][] = [
      ["├── it should stand alone\n", "line 1: the root is missing"],
      ["Contract.act\n", "line 1: has no leaf"],
      ["Contract.act\n├── when nothing follows\n", "line 2: has no leaf"],
      ["Contract.act\n├── when one\n├── it should be deeper\n", "line 3: misplaced"],
      ["Contract.act\n├── it should be\n│  └── it should hang on nothing\n", "line 3: misplaced"],
      ["Contract.act\n│  └── it should have a parent\n", "line 2: misplaced"],
      ["Contract.act\n+-- it should use the right lines\n", "line 2: not a branch"],
      ["Contract.act\n├── it should be\n\n", "line 3: not a branch"],
    ];
    for (const [text, message] of wrong) expect(() => leafPaths(text), text).to.throw(message);
  });
});

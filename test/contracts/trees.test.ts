// SPDX-License-Identifier: Apache-2.0
import { readFile, readdir } from "node:fs/promises";
import { expect } from "chai";
import { Interface } from "ethers";
import hre from "hardhat";
import { testPaths } from "./test-titles.js";
import { drawTree, leafPaths } from "./tree-file.js";

const FOLDER = import.meta.dirname;
/** Folders of helpers. */
const HELPERS = ["accounts", "behaviours"];
/** Inherited from OpenZeppelin, which tests them. */
const INHERITED = ["authority", "setAuthority", "isConsumingScheduledOp", "eip712Domain"];

describe("The trees beside the contract tests", () => {
  it("should exist for every contract", async () => {
    const folders = (await readdir(FOLDER, { withFileTypes: true })).filter(
      (entry) => entry.isDirectory() && !HELPERS.includes(entry.name),
    );
    expect(folders.map(({ name }) => name)).to.have.members(await contractNames());
  });

  it("should cover every external function of every contract", async () => {
    const missing: string[] = [];
    for (const contract of await contractNames()) {
      const [trees, getters] = [await treesOf(contract), await gettersWithBranch(contract)];
      for (const { name, getter } of await functionsOf(contract)) {
        if (trees.includes(name) || (getter && getters.includes(name))) continue;
        missing.push(`${contract}/${name}.tree${getter ? `, or a branch ${name} in views.tree` : ""}`);
      }
    }
    expect(missing, "functions without a tree").to.deep.equal([]);
  });

  it("should each name a function of its contract, its constructor or its views", async () => {
    const stray: string[] = [];
    for (const contract of await contractNames()) {
      const names = (await functionsOf(contract)).map(({ name }) => name);
      for (const tree of await treesOf(contract)) {
        if (![...names, "constructor", "views"].includes(tree)) stray.push(`${contract}/${tree}.tree`);
      }
    }
    expect(stray, "trees of nothing").to.deep.equal([]);
  });

  it("should be drawn well, with branches that begin with when or given", async () => {
    for (const { name, path } of await allTrees()) {
      const text = await readFile(`${path}.tree`, "utf8");
      const leaves = leafPaths(text);
      expect(drawTree(leaves), `${name}.tree`).to.equal(text);
      for (const leaf of leaves) {
        const [root, ...branches] = leaf.split(" > ").slice(0, -1);
        expect(root, `${name}.tree`).to.equal(name.replace("/", "."));
        if (!name.endsWith("/views"))
          for (const branch of branches) expect(branch).to.match(/^(when|given) /);
      }
    }
  });

  it("should have a test for every leaf, and a leaf for every test", async () => {
    const missing: string[] = [];
    const stray: string[] = [];
    for (const { path } of await allTrees()) {
      const leaves = leafPaths(await readFile(`${path}.tree`, "utf8"));
      const tests = await testPaths(`${path}.test.ts`);
      missing.push(...leaves.filter((leaf) => !tests.includes(leaf)));
      stray.push(...tests.filter((test) => !leaves.includes(test)));
      expect(new Set(tests).size, `${path}.test.ts: two tests of one name`).to.equal(tests.length);
    }
    expect(missing, "leaves without a test").to.deep.equal([]);
    expect(stray, "tests without a leaf").to.deep.equal([]);
  });
});

/** The contracts of contracts/, without interfaces and libraries. */
async function contractNames(): Promise<string[]> {
  const names = [...(await hre.artifacts.getAllFullyQualifiedNames())];
  return names.filter((name) => /^contracts\/\w+\.sol:/.test(name)).map((name) => name.split(":").at(-1)!);
}

/** The external functions to cover; a getter takes nothing and changes nothing. */
async function functionsOf(contract: string): Promise<{ name: string; getter: boolean }[]> {
  const functions: { name: string; getter: boolean }[] = [];
  Interface.from((await hre.artifacts.readArtifact(contract)).abi).forEachFunction((fragment) => {
    const { name, constant, inputs } = fragment;
    if (!INHERITED.includes(name)) functions.push({ name, getter: constant && inputs.length === 0 });
  });
  return functions;
}

/** The trees of a contract's folder, without their ending. */
async function treesOf(contract: string): Promise<string[]> {
  const files = await readdir(`${FOLDER}/${contract}`);
  const ending = /\.(tree|test\.ts)$/;
  // A test file without a tree counts too: reading its tree then fails.
  return [...new Set(files.filter((file) => ending.test(file)).map((file) => file.replace(ending, "")))];
}

/** The getters that a contract's views.tree tells about. */
async function gettersWithBranch(contract: string): Promise<string[]> {
  if (!(await treesOf(contract)).includes("views")) return [];
  const leaves = leafPaths(await readFile(`${FOLDER}/${contract}/views.tree`, "utf8"));
  return leaves.map((leaf) => leaf.split(" > ")[1]!);
}

async function allTrees(): Promise<{ name: string; path: string }[]> {
  const trees: { name: string; path: string }[] = [];
  for (const contract of await contractNames()) {
    for (const tree of await treesOf(contract)) {
      trees.push({ name: `${contract}/${tree}`, path: `${FOLDER}/${contract}/${tree}` });
    }
  }
  return trees;
}

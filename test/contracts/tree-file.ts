// SPDX-License-Identifier: Apache-2.0

/** Joins the titles of a path: no title holds it. */
const ARROW = " > ";

const BRANCH = /^((?:│ {2}| {3})*)(?:├──|└──) (\S.*)$/;
const INDENT = 3;

/**
 * The paths of a .tree file's leaves, each from the root: "Contract.function > when ... > should ...".
 *
 * A file holds one tree: its root in the first line, then a branch a line, drawn with ├── or └── (for the last) and
 * three characters a level. A leaf begins with "it should"; everything else has branches.
 *
 * @throws Error naming the line that does not fit
 */
export function leafPaths(text: string): string[] {
  const [root, ...lines] = text.replace(/\n$/, "").split("\n");
  if (!root || BRANCH.test(root)) throw new Error("line 1: the root is missing");
  const path = [root];
  const leaves: string[] = [];
  let leaf = false;
  for (const [at, line] of lines.entries()) {
    const [, indent, title] = BRANCH.exec(line) ?? [];
    if (indent === undefined || title === undefined) throw new Error(`line ${at + 2}: not a branch: ${line}`);
    const depth = indent.length / INDENT + 1;
    // Behind a leaf comes its sibling or an ancestor's, behind anything else its first branch.
    if (leaf ? depth >= path.length : depth !== path.length)
      throw new Error(`line ${at + 2}: misplaced: ${line}`);
    leaf = title.startsWith("it should ");
    path.splice(depth, path.length, leaf ? title.slice("it ".length) : title);
    if (leaf) leaves.push(pathOf(path));
  }
  if (!leaf) throw new Error(`line ${lines.length + 1}: has no leaf`);
  return leaves;
}

/** One path from its titles. */
export function pathOf(titles: string[]): string {
  return titles.join(ARROW);
}

/** The tree file for these paths. */
export function drawTree(paths: string[]): string {
  const [[root, branches]] = [...branchesOf(paths.map((path) => path.split(ARROW)))] as [
    [string, string[][]],
  ];
  return `${[root, ...drawn(branches, "")].join("\n")}\n`;
}

function drawn(paths: string[][], indent: string): string[] {
  const branches = [...branchesOf(paths)];
  return branches.flatMap(([title, rest], at) => {
    const last = at === branches.length - 1;
    const line = `${indent}${last ? "└──" : "├──"} ${rest.length === 0 ? `it ${title}` : title}`;
    return [line, ...drawn(rest, `${indent}${last ? "   " : "│  "}`)];
  });
}

/** The first titles in their order, each with what follows it. */
function branchesOf(paths: string[][]): Map<string, string[][]> {
  const branches = Map.groupBy(paths, ([title]) => title!);
  for (const [title, group] of branches) {
    branches.set(
      title,
      group.map((path) => path.slice(1)).filter((rest) => rest.length > 0),
    );
  }
  return branches;
}

// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse } from "./compiler.js";
import type { AstNode } from "./compiler.js";

/** One small change of one file. */
export interface Mutant {
  path: string;
  line: number;
  operator: string;
  start: number; // bytes
  end: number;
  was: string;
  becomes: string;
}
type Change = [operator: string, node: AstNode, becomes: string];

/** What takes the place of an operator. */
const BINARY = new Map([
  ["<", ["<=", ">="]],
  ["<=", ["<", ">"]],
  [">", [">=", "<="]],
  [">=", [">", "<"]],
  ["==", ["!="]],
  ["!=", ["=="]],
  ["&&", ["||"]],
  ["||", ["&&"]],
  ["+", ["-"]],
  ["-", ["+"]],
  ["*", ["/"]],
  ["/", ["*"]],
  ["&", ["|"]],
  ["|", ["&"]],
  ["<<", [">>"]],
  [">>", ["<<"]],
]);
const YUL = new Map([
  ["add", "sub"],
  ["sub", "add"],
  ["and", "or"],
  ["or", "and"],
  ["shl", "shr"],
  ["shr", "shl"],
  ["lt", "gt"],
  ["gt", "lt"],
  ["xor", "or"],
  ["mstore8", "mstore"],
]);

/** Every mutant of a file, in the order of the source. */
export function mutantsOf(path: string): Mutant[] {
  const source = readFileSync(path);
  const text = ([start, length]: readonly [number, number]) =>
    source.subarray(start, start + length).toString();
  const changes: Change[] = [];
  visit(parse(path), (node) => changes.push(...changesOf(node, (of) => text(placeOf(of)))));
  return changes.map(([operator, node, becomes]) => {
    const [start, length] = placeOf(node);
    // A statement's place ends before its semicolon, and an empty one is none in Solidity.
    const end = start + length + (operator === "statement" ? 1 : 0);
    const line = source.subarray(0, start).toString().split("\n").length;
    return { path, line, operator, start, end, was: text([start, end - start]), becomes };
  });
}

export function applied({ path, start, end, becomes }: Mutant): string {
  const source = readFileSync(path);
  return Buffer.concat([source.subarray(0, start), Buffer.from(becomes), source.subarray(end)]).toString();
}

/** The same `share` of every file's mutants each time, spread by their hashes. */
export function sampleOf(mutants: readonly Mutant[], share: number): Mutant[] {
  const byPath = Map.groupBy(mutants, ({ path }) => path);
  return [...byPath.values()].flatMap((all) =>
    all.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, Math.ceil(all.length * share)),
  );
}

function keyOf({ path, start, was, becomes }: Mutant): string {
  return createHash("sha256")
    .update(JSON.stringify([path, start, was, becomes]))
    .digest("hex");
}

function placeOf({ src }: AstNode): readonly [number, number] {
  const [start, length] = src.split(":").map(Number);
  return [start!, length!];
}

function visit(node: unknown, see: (node: AstNode) => void): void {
  if (typeof node !== "object" || node === null) return;
  if ("nodeType" in node) see(node as AstNode);
  for (const part of Object.values(node)) visit(part, see);
}

function changesOf(node: AstNode, text: (node: AstNode) => string): Change[] {
  const part = (name: string) => node[name] as AstNode;
  switch (node.nodeType) {
    case "BinaryOperation": {
      const [left, right] = [text(part("leftExpression")), text(part("rightExpression"))];
      const others = BINARY.get(node["operator"] as string) ?? [];
      return others.map((other): Change => ["operator", node, `${left} ${other} ${right}`]);
    }
    case "UnaryOperation":
      if (node["operator"] !== "!" && node["operator"] !== "~") return [];
      return [["negation", node, text(part("subExpression"))]];
    case "IfStatement":
    case "Conditional":
      return ["true", "false"].map((constant): Change => ["condition", part("condition"), constant]);
    case "ExpressionStatement":
    case "EmitStatement":
    case "RevertStatement":
      return [["statement", node, "{}"]];
    case "ModifierInvocation":
      return (part("modifierName")["name"] as string).startsWith("only") || text(node) === "restricted"
        ? [["access control", node, ""]]
        : [];
    case "Literal":
      return literalChanges(node);
    case "FunctionCall":
      return swapOf(node, text);
    case "YulFunctionCall": {
      const other = YUL.get(part("functionName")["name"] as string);
      return other ? [["assembly", part("functionName"), other]] : [];
    }
    case "YulLiteral":
      return node["kind"] === "number" ? [["assembly", node, `add(${text(node)}, 1)`]] : [];
    default:
      return [];
  }
}

function literalChanges(node: AstNode): Change[] {
  if (node["kind"] === "bool") return [["constant", node, node["value"] === "true" ? "false" : "true"]];
  if (node["kind"] !== "number" || node["subdenomination"]) return [];
  return [["constant", node, `(${String(node["value"])} + 1)`]];
}

/** Two neighbouring arguments in each other's place; most do not compile, the rest are mistakes that people make. */
function swapOf(node: AstNode, text: (node: AstNode) => string): Change[] {
  const given = node["arguments"] as AstNode[];
  if (node["names"] !== undefined && (node["names"] as unknown[]).length > 0) return [];
  const call = text(node);
  const [start] = placeOf(node);
  return given.slice(1).flatMap((second, place): Change[] => {
    const first = given[place]!;
    const [from, , to, length] = [...placeOf(first), ...placeOf(second)] as const;
    if (text(first) === text(second)) return [];
    const before = sliceBytes(call, 0, from - start);
    const between = sliceBytes(call, from - start + placeOf(first)[1], to - start);
    const after = sliceBytes(call, to - start + length);
    return [["swap", node, before + text(second) + between + text(first) + after]];
  });
}

function sliceBytes(text: string, start: number, end?: number): string {
  return Buffer.from(text).subarray(start, end).toString();
}

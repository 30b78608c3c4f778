// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const solc = require("solc") as {
  compile(
    input: string,
    callbacks: { import(path: string): { contents: string } | { error: string } },
  ): string;
};

/** The compiler's fast way, and the light optimiser for what is too deep for it: mutants need not be small. */
const FAST = { viaIR: false, optimizer: { enabled: false } };
const LIGHT = {
  viaIR: true,
  optimizer: { enabled: true, runs: 1, details: { yul: true, yulDetails: { optimizerSteps: "u:" } } },
};
const TOO_DEEP = ["contracts/PatientRegistry.sol"];
/** So that equal code is equal bytes, wherever it comes from. */
const METADATA = { appendCBOR: false, bytecodeHash: "none" };

export interface AstNode {
  nodeType: string;
  src: string; // start:length:file, in bytes
  [key: string]: unknown;
}
export interface Bytecode {
  creation: string;
  runtime: string;
}
interface Output {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<
    string,
    Record<string, { evm: { bytecode: { object: string }; deployedBytecode: { object: string } } }>
  >;
  sources?: Record<string, { ast: AstNode }>;
}

export function parse(path: string): AstNode {
  return run([path], new Map(), { stopAfter: "parsing", outputSelection: { "*": { "": ["ast"] } } }).sources![
    path
  ]!.ast;
}

/** The contract of that file, some sources replaced; undefined when it does not compile. */
export function compile(path: string, replaced: ReadonlyMap<string, string>): Bytecode | undefined {
  const output = run([path], replaced, {
    ...(TOO_DEEP.includes(path) ? LIGHT : FAST),
    evmVersion: "cancun",
    metadata: METADATA,
    outputSelection: { [path]: { "*": ["evm.bytecode.object", "evm.deployedBytecode.object"] } },
  });
  if (output.errors?.some(({ severity }) => severity === "error")) return undefined;
  const { bytecode, deployedBytecode } = Object.values(output.contracts![path]!)[0]!.evm;
  return { creation: `0x${bytecode.object}`, runtime: `0x${deployedBytecode.object}` };
}

function run(paths: string[], replaced: ReadonlyMap<string, string>, settings: object): Output {
  const textOf = (path: string) => replaced.get(path) ?? readFileSync(placeOf(path), "utf8");
  const sources = Object.fromEntries(paths.map((path) => [path, { content: textOf(path) }]));
  const input = JSON.stringify({ language: "Solidity", sources, settings });
  const found = (path: string) =>
    existsSync(placeOf(path)) ? { contents: textOf(path) } : { error: `no ${path}` };
  return JSON.parse(solc.compile(input, { import: found })) as Output;
}

function placeOf(path: string): string {
  return path.startsWith("@") ? `node_modules/${path}` : path;
}

// SPDX-License-Identifier: Apache-2.0
import { Interface, TypedDataEncoder, verifyTypedData } from "ethers";
import type { Chain, Deployment } from "../chain/index.js";
import { signAs, type PatientSigner, type TypedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { invalidAct, type ActFile, type ActSignature } from "./act.js";
import { papersOf, type Paper } from "./papers.js";

/** 0x and an address: the signer is an account, without a key behind it. */
const ACCOUNT_CHARACTERS = 42;
/** ERC-1271 and ERC-7913 answer with the function's own selector. */
const VERIFIERS = new Interface([
  "function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)",
  "function verify(bytes key, bytes32 hash, bytes signature) view returns (bytes4)",
]);

/** What this key has to sign of the act and has not signed yet. @throws ERR_ACT_INVALID for a key that has no part */
export function papersFor(file: ActFile, deployment: Deployment, key: Hex): Paper[] {
  const all = papersOf(file, deployment);
  const named = all.filter(({ keys }) => keys.includes(key));
  // Who holds a key that the act names is not the one who decides it by his role.
  const papers = named.length === 0 ? all.filter(isOpen) : named;
  if (papers.length === 0) {
    throw invalidAct("this key is none of those that sign this act", { key }, "`act show` names them");
  }
  return papers.filter(({ struct }) => !isSigned(file, struct, key));
}

/**
 * Signs all that the signer has to sign of the act. Needs no node: what is signed is bound to `deployment`.
 * @returns the file with his signatures
 * @throws ERR_ACT_INVALID when he has no part in it, or its chain is another one
 */
export async function signAct(
  file: ActFile,
  deployment: Deployment,
  signer: PatientSigner,
): Promise<ActFile> {
  requireChain(file, deployment);
  const key = signer.signer.toLowerCase() as Hex;
  let signed = file;
  for (const paper of papersFor(file, deployment, key)) {
    signed = withSignature(signed, paper, { key, signature: await signAs(signer, paper.typedData) });
  }
  return signed;
}

/**
 * Adds a signature that was made elsewhere: by a phone, a wallet, a contract account. Whose it is, and over what, it
 * shows itself.
 * @throws ERR_ACT_INVALID when it is of nobody who has a part in the act and has not signed yet;
 * ERR_RPC_UNAVAILABLE, for only an ordinary account's signature can be checked without a node
 */
export async function addSignature(file: ActFile, chain: Chain, signature: Hex): Promise<ActFile> {
  requireChain(file, chain.deployment);
  for (const paper of papersOf(file, chain.deployment)) {
    for (const key of isOpen(paper) ? signerOf(paper.typedData, signature) : paper.keys) {
      const waited = isOpen(paper) || !isSigned(file, paper.struct, key);
      if (waited && (await isSignedBy(chain, key, paper.typedData, signature))) {
        return withSignature(file, paper, { key, signature });
      }
    }
  }
  throw invalidAct(
    "the signature is of nobody who has yet to sign this act, or over something else",
    {},
    "`act show --json` says what each has to sign",
  );
}

/**
 * Checks every signature of the file, and that none is missing.
 * @throws ERR_ACT_INVALID naming the key whose signature does not hold, ERR_ACT_INCOMPLETE saying what is missing
 */
export async function requireSigned(file: ActFile, chain: Chain): Promise<void> {
  requireChain(file, chain.deployment);
  const papers = papersOf(file, chain.deployment);
  for (const { struct, key, signature } of file.signatures) {
    const paper = papers.find((one) => one.struct === struct && (isOpen(one) || one.keys.includes(key)));
    const holds = paper !== undefined && (await isSignedBy(chain, key, paper.typedData, signature));
    if (holds) continue;
    throw invalidAct("a signature of the act is not its key's", { key, struct }, "have it signed again");
  }
  for (const paper of papers) {
    const missing = paper.threshold - signaturesOf(file, paper).length;
    if (missing > 0) throw incomplete(paper, missing);
  }
}

/** The signatures under one paper, each key's once. */
export function signaturesOf(file: ActFile, paper: Paper): ActSignature[] {
  const found = file.signatures.filter(
    (one) => one.struct === paper.struct && (isOpen(paper) || paper.keys.includes(one.key)),
  );
  return [...new Map(found.map((one) => [one.key, one])).values()];
}

/** Whoever holds the role may sign it. */
function isOpen({ keys }: Paper): boolean {
  return keys.length === 0;
}

/** An open paper has one signature: who signs it again takes the place of a colleague who should not have. */
function withSignature(
  file: ActFile,
  paper: Paper,
  { key, signature }: Pick<ActSignature, "key" | "signature">,
): ActFile {
  const { struct } = paper;
  const before = file.signatures.filter((one) => !isOpen(paper) || one.struct !== struct);
  return { ...file, signatures: [...before, { struct, key, signature }] };
}

function isSigned(file: ActFile, struct: string, key: Hex): boolean {
  return file.signatures.some((one) => one.struct === struct && one.key === key);
}

async function isSignedBy(chain: Chain, key: Hex, data: TypedData, signature: Hex): Promise<boolean> {
  const account = key.length === ACCOUNT_CHARACTERS;
  if (account && signerOf(data, signature)[0] === key) return true;
  const hash = TypedDataEncoder.hash(data.domain, data.types, data.message);
  const [name, values] = account
    ? ["isValidSignature", [hash, signature]]
    : ["verify", [`0x${key.slice(ACCOUNT_CHARACTERS)}`, hash, signature]];
  const selector = VERIFIERS.getFunction(name)!.selector;
  const to = key.slice(0, ACCOUNT_CHARACTERS);
  try {
    const call = { to, data: VERIFIERS.encodeFunctionData(name, values) };
    const answer = await chain.ask(() => chain.provider.call(call));
    return answer.startsWith(selector);
  } catch (error) {
    // An ordinary account has no code to ask, and a contract may refuse by reverting.
    if (error instanceof ChartsealError && error.code === "ERR_CHAIN_REFUSED") return false;
    throw error;
  }
}

/** The account that signed; none for what is no ECDSA signature. */
function signerOf(data: TypedData, signature: Hex): Hex[] {
  try {
    return [verifyTypedData(data.domain, data.types, data.message, signature).toLowerCase() as Hex];
  } catch {
    return [];
  }
}

function requireChain(file: ActFile, { chainId }: Deployment): void {
  if (file.chainId === chainId) return;
  throw new ChartsealError("ERR_CHAIN_MISMATCH", `the act is for chain ${file.chainId}, not for ${chainId}`, {
    values: { found: file.chainId, expected: chainId },
    hint: "use the deployment of the consortium in which the act was prepared",
  });
}

function incomplete({ struct, for: purpose, keys }: Paper, missing: number): ChartsealError {
  const [only] = keys;
  const who = purpose === "possession" && only !== undefined ? { key: only } : {};
  return new ChartsealError("ERR_ACT_INCOMPLETE", `the act lacks ${missing} signature(s) over ${struct}`, {
    values: { struct, missing, ...who },
    hint: "`act show` says who has signed; `act sign` adds a signature",
  });
}

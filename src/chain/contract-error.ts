// SPDX-License-Identifier: Apache-2.0
import { Interface, type ErrorDescription, type ErrorFragment } from "ethers";
import { ChartsealError, type ErrorCode } from "../errors.js";
import {
  AccessLog__factory,
  AccessManager__factory,
  BreakGlass__factory,
  ConsentRegistry__factory,
  LegalOrders__factory,
  MemberRegistry__factory,
  PatientRegistry__factory,
  RecordRegistry__factory,
} from "./factories.js";
import { nodeFault, type NodeFault } from "./node-fault.js";

/** Every custom error of every contract: one contract's refusal may come up through another. */
const ERRORS = new Interface(
  [
    AccessLog__factory,
    AccessManager__factory,
    BreakGlass__factory,
    ConsentRegistry__factory,
    LegalOrders__factory,
    MemberRegistry__factory,
    PatientRegistry__factory,
    RecordRegistry__factory,
  ].flatMap((factory) =>
    Interface.from(factory.abi).fragments.filter(
      (fragment): fragment is ErrorFragment => fragment.type === "error",
    ),
  ),
);

/** Whether it is the name of a contract's error: then it says nothing of anybody. */
export function isContractError(name: string): boolean {
  return ERRORS.fragments.some(
    (fragment) => fragment.type === "error" && (fragment as ErrorFragment).name === name,
  );
}

/** What the reader of a refusal can do about it, by the contract's error. */
const HINTS: Readonly<Record<string, string>> = {
  GrantUnknown: "ask the patient for a grant to your member",
  TermsRevoked: "the patient revoked these terms; ask for new ones",
  GrantExpired: "ask the patient for a new grant",
  StaffUnknown: "have this account enrolled by your member's admin",
  StaffExpired: "have this account renewed by your member's admin",
  MemberSuspended: "ask the consortium's governance",
  AccessManagedUnauthorized: "only the consortium's governance may do this",
  IndexNotNext: "another batch came first; the log's head moved",
  SignatureInvalid: "the signature is not this patient's over exactly these values, on this chain",
};

/** EIP-1474: resource not found, resource unavailable, limit exceeded, internal error. A later call may succeed. */
const TRANSIENT_NODE_CODES = [-32001, -32002, -32005, -32603];

/**
 * Turns what ethers throws into a ChartsealError: a revert is `refusedAs` with `values.reason` naming the contract's
 * error and its arguments beside it; a node that does not answer, or not sensibly, is ERR_RPC_UNAVAILABLE (retryable);
 * a node that will not take a transaction is ERR_CHAIN_REFUSED without a reason.
 */
export function chainError(error: unknown, refusedAs: ErrorCode = "ERR_CHAIN_REFUSED"): ChartsealError {
  if (error instanceof ChartsealError) return error;
  const fault = nodeFault(error);
  if (fault.revertData !== undefined) return refusal(fault.revertData, refusedAs, error);
  if (fault.badArgument !== undefined) {
    const { badArgument } = fault;
    return new ChartsealError(
      "ERR_USAGE",
      `the contract does not take this ${badArgument}: ${fault.message}`,
      {
        values: { argument: badArgument },
        cause: error,
      },
    );
  }
  if (fault.emptyAnswer) {
    return new ChartsealError("ERR_CHAIN_MISMATCH", "there is no contract at the address that was asked", {
      hint: "the node's chain was reset, or the deployment file is another consortium's",
      cause: error,
    });
  }
  if (fault.nodeMessage === undefined)
    return unanswered("the chain's node does not answer sensibly", fault, error);
  if (fault.nodeCode !== undefined && TRANSIENT_NODE_CODES.includes(fault.nodeCode)) {
    return unanswered(`the chain's node failed: ${fault.nodeMessage}`, fault, error);
  }
  return new ChartsealError("ERR_CHAIN_REFUSED", `the node refused: ${fault.nodeMessage}`, { cause: error });
}

function unanswered(message: string, { message: detail }: NodeFault, cause: unknown): ChartsealError {
  return new ChartsealError("ERR_RPC_UNAVAILABLE", message, {
    values: { detail },
    hint: "check chain.url in chartseal.json and that the node runs",
    retryable: true,
    cause,
  });
}

function refusal(data: string, code: ErrorCode, cause: unknown): ChartsealError {
  if (data === "0x") return new ChartsealError(code, "the contract refused without a reason", { cause });
  const parsed = parseRevert(data);
  if (parsed === null) {
    return new ChartsealError(code, "the contract refused without a reason this version knows", {
      values: { selector: data.slice(0, 10) },
      hint: "check that the contract addresses in chartseal.json are those of this chartseal version",
      cause,
    });
  }
  const named = argumentsOf(parsed);
  const list = Object.entries(named);
  const shown = list.map(([name, value]) => `${name} ${value}`).join(", ");
  const hint = HINTS[parsed.name];
  return new ChartsealError(
    code,
    `the contract refused: ${parsed.name}${shown === "" ? "" : ` (${shown})`}`,
    {
      // Last, so that no argument passes for the error's name.
      values: { ...named, reason: parsed.name },
      ...(hint === undefined ? {} : { hint }),
      cause,
    },
  );
}

/** Null for an error of no contract of ours, or one that is cut short. */
function parseRevert(data: string): ErrorDescription | null {
  try {
    return ERRORS.parseError(data);
  } catch {
    return null;
  }
}

function argumentsOf({ fragment, args }: ErrorDescription): Record<string, string | number> {
  return Object.fromEntries(
    fragment.inputs.map((input, position) => {
      const value: unknown = args[position];
      const small = typeof value === "bigint" && value <= BigInt(Number.MAX_SAFE_INTEGER);
      // Error(string) and Panic(uint256) of the compiler have no names.
      return [input.name || `argument ${position + 1}`, small ? Number(value) : String(value)];
    }),
  );
}

// SPDX-License-Identifier: Apache-2.0
import { Interface, type ErrorFragment, type Result } from "ethers";
import { ChartsealError, type ErrorCode } from "../errors.js";
import {
  AccessLog__factory,
  AccessManager__factory,
  ConsentRegistry__factory,
  MemberRegistry__factory,
  PatientRegistry__factory,
  RecordRegistry__factory,
} from "../../typechain-types/index.js";

/** Every custom error of every contract: one contract's refusal may come up through another. */
const ERRORS = new Interface(
  [
    AccessLog__factory,
    AccessManager__factory,
    ConsentRegistry__factory,
    MemberRegistry__factory,
    PatientRegistry__factory,
    RecordRegistry__factory,
  ].flatMap((factory) =>
    Interface.from(factory.abi).fragments.filter((fragment): fragment is ErrorFragment => fragment.type === "error"),
  ),
);

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

/**
 * Turns what ethers throws into a ChartsealError: a node that does not answer is ERR_RPC_UNAVAILABLE (retryable), a
 * revert is `refusedAs` with `values.reason` naming the contract's error and its arguments beside it.
 */
export function chainError(error: unknown, refusedAs: ErrorCode = "ERR_CHAIN_REFUSED"): ChartsealError {
  if (error instanceof ChartsealError) return error;
  const data = revertData(error);
  if (data !== undefined) return refusal(data, refusedAs, error);
  if (isUnanswered(error)) {
    return new ChartsealError("ERR_RPC_UNAVAILABLE", "the chain's node does not answer", {
      hint: "check chain.url in chartseal.json and that the node runs",
      retryable: true,
      cause: error,
    });
  }
  const { shortMessage, message } = error as { shortMessage?: string; message?: string };
  return new ChartsealError("ERR_CHAIN_REFUSED", `the node refused: ${shortMessage ?? message ?? "no reason"}`, {
    cause: error,
  });
}

function refusal(data: string, code: ErrorCode, cause: unknown): ChartsealError {
  const parsed = ERRORS.parseError(data);
  if (parsed === null) {
    return new ChartsealError(code, "the contract refused without a reason this version knows", {
      values: { reason: data.slice(0, 10) },
      hint: "check that the contract addresses in chartseal.json are those of this chartseal version",
      cause,
    });
  }
  const values = { reason: parsed.name, ...named(parsed.fragment, parsed.args) };
  const list = Object.entries(values).slice(1);
  const shown = list.map(([name, value]) => `${name} ${value}`).join(", ");
  const hint = HINTS[parsed.name];
  return new ChartsealError(code, `the contract refused: ${parsed.name}${shown === "" ? "" : ` (${shown})`}`, {
    values,
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

function named(fragment: ErrorFragment, args: Result): Record<string, string | number> {
  return Object.fromEntries(
    fragment.inputs.map((input, position) => {
      const value: unknown = args[position];
      const small = typeof value === "bigint" && value <= BigInt(Number.MAX_SAFE_INTEGER);
      return [input.name, small ? Number(value) : String(value)];
    }),
  );
}

/** Revert data as different nodes wrap it. */
function revertData(error: unknown): string | undefined {
  for (let depth = 0, at: unknown = error; depth < 6 && typeof at === "object" && at !== null; depth++) {
    const { data, error: inner, info, cause } = at as Record<string, unknown>;
    if (typeof data === "string" && /^0x[0-9a-f]{8}/i.test(data)) return data;
    const nested = (data as { data?: unknown } | null | undefined)?.data;
    if (typeof nested === "string" && /^0x[0-9a-f]{8}/i.test(nested)) return nested;
    at = inner ?? info ?? cause;
  }
  return undefined;
}

function isUnanswered(error: unknown): boolean {
  const { code } = error as { code?: string };
  const codes = ["NETWORK_ERROR", "TIMEOUT", "SERVER_ERROR", "ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EPIPE"];
  return code !== undefined && (codes.includes(code) || code.startsWith("UND_ERR"));
}

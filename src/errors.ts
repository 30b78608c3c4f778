// SPDX-License-Identifier: Apache-2.0

/** Stable codes a program can switch on. A code never changes its meaning. */
export const ERROR_CODES = [
  "ERR_ACT_INCOMPLETE", // an act lacks signatures
  "ERR_ACT_INVALID", // an act file is malformed, wrongly signed, or was used
  "ERR_ACCESS_DENIED", // the contract refused; values.reason names its error
  "ERR_BODY_MISSING", // no store holds the body
  "ERR_BODY_TAMPERED", // body, key or context differ from what was sealed
  "ERR_BUSY", // too much is on its way in; values.retryAfter says in how many seconds to send it again
  "ERR_CAPSULE_REFUSED", // a capsule was not made, or does not open
  "ERR_CHAIN_MISMATCH", // chain id, contract or event differ from what is configured
  "ERR_CHAIN_REFUSED", // a contract call reverted; values.reason names its error
  "ERR_CONFIG_INVALID", // chartseal.json or a parameter file
  "ERR_EXCHANGE_INVALID", // an Exchange message is malformed or wrongly signed
  "ERR_FORMAT_UNSUPPORTED", // unknown format number
  "ERR_ITEM_INVALID", // a source item cannot be stored as it is
  "ERR_INTERNAL", // a fault of chartseal's own, nothing the caller did
  "ERR_JOURNAL_LOCKED", // another process writes this journal
  "ERR_JSON_INVALID", // not the JSON it should be
  "ERR_KEY_ERASED", // the content key was erased
  "ERR_KEY_MISSING", // the vault holds no such key
  "ERR_KEY_INVALID", // a key file or signature is not usable
  "ERR_MESSAGE_ID_REUSED", // a sender's message number came before, with other bytes
  "ERR_PATIENT_AMBIGUOUS", // an item names two patients
  "ERR_PATIENT_CHANGED", // an amendment names another patient than before
  "ERR_PATIENT_UNKNOWN", // no enrolled patient matches
  "ERR_RATE_LIMITED", // asked too often; values.retryAfter says in how many seconds to ask again
  "ERR_RECEIPT_INVALID", // not a receipt
  "ERR_RPC_UNAVAILABLE", // the node does not answer
  "ERR_SOURCE_CHANGED", // the source changed while it was read
  "ERR_STORE_FULL", // no space left
  "ERR_STORE_FAILED", // the store cannot be read or written
  "ERR_TIMEOUT", // nobody answered in time
  "ERR_USAGE", // wrong use of a command or function
  "ERR_VAULT_LOCKED", // wrong or missing passphrase
  "ERR_VAULT_DAMAGED", // the vault file is not readable
  "ERR_VAULT_RESTORED", // a copy that has not heard yet what was erased since
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetails {
  /** The offending values: never PHI, keys or plaintext. */
  values?: Record<string, string | number | boolean>;
  /** What the reader should do next. */
  hint?: string;
  /** True when the same call may succeed later. */
  retryable?: boolean;
  cause?: unknown;
}

/** The one error chartseal throws. `message` says what was wrong and with which value. */
export class ChartsealError extends Error {
  override readonly name = "ChartsealError";
  readonly code: ErrorCode;
  readonly values: Readonly<Record<string, string | number | boolean>>;
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.values = details.values ?? {};
    this.hint = details.hint;
    this.retryable = details.retryable ?? false;
  }

  toJSON(): Record<string, unknown> {
    const { code, message, values, hint, retryable } = this;
    return { code, message, values, ...(hint === undefined ? {} : { hint }), retryable };
  }
}

/** The error for a format number that this version does not read. */
export function unsupportedFormat(what: string, format: number, reads = 1): ChartsealError {
  return new ChartsealError(
    "ERR_FORMAT_UNSUPPORTED",
    `${what} has format ${format}; this version reads ${reads}`,
    {
      values: { format, reads },
      hint: "read it with the version of chartseal that wrote it, or a newer one",
    },
  );
}

/**
 * Refuses JSON of a format other than 1, before anything else is held against it: nothing is known of its fields.
 * @param issues What a schema finds wrong with it: then formats further inside are looked at too
 * @throws ERR_FORMAT_UNSUPPORTED; a format that is no number is for the caller to refuse
 */
export function requireFormat(
  json: unknown,
  what: string,
  issues: readonly { path: readonly PropertyKey[] }[] = [],
): void {
  const inside = issues.map(({ path }) => path).filter((path) => path.at(-1) === "format");
  for (const path of [["format"], ...inside]) {
    const found = path.reduce<unknown>(
      (value, key) => (value as Record<PropertyKey, unknown> | null)?.[key],
      json,
    );
    const where = path.slice(0, -1).join(".");
    if (typeof found === "number" && found !== 1)
      throw unsupportedFormat(where === "" ? what : `the field ${where} of ${what}`, found);
  }
}

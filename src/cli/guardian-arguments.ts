// SPDX-License-Identifier: Apache-2.0
import type { GuardianRequest } from "../acts/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { endArgument, wholeNumber } from "./arguments.js";
import { keyArgument } from "./key-argument.js";

export interface GuardianValues {
  guardian?: string[];
  threshold?: string;
  until?: string;
}

/** All three, or none of them, which means that there are no guardians. @throws ERR_USAGE */
export function expectSet({ guardian, threshold, until }: GuardianValues): void {
  const given = [guardian, threshold, until].filter((value) => value !== undefined).length;
  if (given === 0 || given === 3) return;
  throw new ChartsealError("ERR_USAGE", "--guardian, --threshold and --until go together", {
    hint: "who they are, how many of them must sign, and their last day: of a child, the day before majority",
  });
}

/** @throws ERR_USAGE, ERR_KEY_INVALID */
export async function guardianArguments(values: GuardianValues, verifier: Hex): Promise<GuardianRequest> {
  const { guardian = [], threshold = "0", until } = values;
  const guardians: Hex[] = [];
  for (const text of guardian) guardians.push(await keyArgument(text, "--guardian", verifier));
  return {
    guardians,
    threshold: wholeNumber(threshold, "--threshold"),
    until: until === undefined ? new Date(0) : endArgument(until, "--until"),
  };
}

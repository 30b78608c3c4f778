// SPDX-License-Identifier: Apache-2.0
import type { ZodError } from "zod";

/** The first field that a file's content has wrong, as `a.0.b`. */
export function badField({ issues: [first] }: ZodError): string {
  return first === undefined || first.path.length === 0 ? "top level" : first.path.join(".");
}

// SPDX-License-Identifier: Apache-2.0
import { LIMITS, PURPOSE } from "./acts.js";
import type { ActOf, Basis, History, LogEntry, Reason, Scope } from "./acts.js";
import { directiveOf, isGranted, isLifted, isOrdered, isRevoked } from "./consent.js";
import { deniesEmergencies, windowOf } from "./emergencies.js";
import { isWithdrawn, logEnd } from "./entries.js";
import { custodianOf, looseningFaults } from "./patients.js";
import { enrolmentOf, staffFaults, when } from "./staff.js";

const ALL_COMPARTMENTS = Array.from({ length: 64 }, (_, compartment) => compartment);
const LAST_DAY = 2 ** 32 - 1;

/** What a basis lets its reader see, or undefined for a window that was never opened. */
function extentOf(history: History, basis: Basis) {
  if ("terms" in basis) return basis.terms;
  const opening = windowOf(history, basis.window);
  return (
    opening && {
      patient: opening.patient,
      grantee: enrolmentOf(history, opening.reader)!.member,
      compartments: ALL_COMPARTMENTS,
      purposes: [PURPOSE.BTG],
      notBefore: opening.at,
      notAfter: opening.at + LIMITS.windowLength,
      recordedFrom: 0,
      recordedTo: LAST_DAY,
    }
  );
}
type Extent = NonNullable<ReturnType<typeof extentOf>>;
type Request = ActOf<"requestRecords" | "requestScope">;

export function requestFaults(history: History, at: number, act: Request): Reason[] {
  const extent = extentOf(history, act.basis);
  // Of such a window nothing is known but that it gives no access.
  if (!extent) return ["basis", "directive", "staff", "terms", "scope", "entry"];
  const { patient } = extent;
  // An order stands above the directive.
  const denied = act.purpose === PURPOSE.HLEGAL ? [] : directiveOf(history, patient).compartments;
  const permitted = extent.compartments.filter((compartment) => !denied.includes(compartment));
  const within = { ...extent, compartments: permitted };
  return [
    ...staffFaults(history, at, act.reader, { role: "CLINICIAN", activity: "reading" }),
    ...termsFaults(history, at, act, extent),
    ...basisFaults(history, act, patient),
    ...(act.kind === "requestRecords"
      ? recordsFaults(history, act.entries, within)
      : scopeFaults(history, patient, act.scope, within)),
  ];
}

function termsFaults(history: History, at: number, { reader, purpose }: Request, extent: Extent): Reason[] {
  const permits =
    extent.grantee === enrolmentOf(history, reader)?.member &&
    extent.purposes.includes(purpose) &&
    at >= extent.notBefore &&
    at <= extent.notAfter;
  return when(!permits, "terms");
}

/** The purpose says what must stand: an order for HLEGAL, the reader's own window for BTG, else a grant. */
function basisFaults(history: History, { basis, purpose, reader }: Request, patient: string): Reason[] {
  if (purpose === PURPOSE.BTG) {
    const own = "window" in basis && windowOf(history, basis.window)?.reader === reader;
    return [...when(!own, "basis"), ...when(deniesEmergencies(history, patient), "directive")];
  }
  const terms = "terms" in basis ? basis.terms : undefined;
  if (purpose === PURPOSE.HLEGAL) {
    return when(!terms || !isOrdered(history, terms) || isLifted(history, terms), "basis");
  }
  return [
    ...when(!terms || !isGranted(history, terms) || isRevoked(history, terms), "basis"),
    ...when(directiveOf(history, patient).all, "directive"),
  ];
}

function recordsFaults(history: History, entries: readonly LogEntry[], within: Extent): Reason[] {
  const inside = entries.every(
    (entry) =>
      entry.member === custodianOf(history, within.patient) &&
      entry.patient === within.patient &&
      within.compartments.includes(entry.compartment) &&
      entry.day >= within.recordedFrom &&
      entry.day <= within.recordedTo,
  );
  const readable = entries.every((entry) => entry.kind === "record" && !isWithdrawn(history, entry));
  return [...when(!inside || entries.length === 0, "scope"), ...when(!readable, "entry")];
}

type Bounds = Pick<Extent, "compartments" | "recordedFrom" | "recordedTo">;

function scopeFaults(history: History, patient: string, scope: Scope, within: Bounds): Reason[] {
  const inside =
    scope.compartments.length > 0 &&
    scope.compartments.every((compartment) => within.compartments.includes(compartment)) &&
    scope.from <= scope.to &&
    scope.from >= within.recordedFrom &&
    scope.to <= within.recordedTo &&
    scope.upTo <= logEnd(history, custodianOf(history, patient));
  return when(!inside, "scope");
}

/** The patient's directive binds others, not himself. */
export function ownRequestFaults(history: History, at: number, act: ActOf<"requestOwn">): Reason[] {
  const { patient, scope, signature } = act;
  const everything = { compartments: ALL_COMPARTMENTS, recordedFrom: 0, recordedTo: LAST_DAY };
  return [
    ...looseningFaults(history, at, patient, signature),
    ...scopeFaults(history, patient, scope, everything),
  ];
}

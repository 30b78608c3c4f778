// SPDX-License-Identifier: Apache-2.0
import type { Hl7Segment, Hl7Value } from "./hl7-text.js";
import type { PatientRef } from "./item.js";

/** Identifiers of a PID segment: PID-3, or the older PID-2. */
export function identifiersOf(pid: Hl7Segment, facility: string): PatientRef[] {
  const own = pid.values(3);
  return refsOf(own.length > 0 ? own : pid.values(2), facility);
}

/** Data type CX. An id without an assigning authority is the sending facility's. */
export function refsOf(values: readonly Hl7Value[], facility: string): PatientRef[] {
  const refs = values.flatMap((value) => {
    const id = value.part(1);
    const systems = authorities(value);
    return (systems.length > 0 ? systems : [facility]).map((system) => ({ system, value: id }));
  });
  return refs.filter(({ value }) => value !== "");
}

/** Data type HD of CX-4: `namespace&id&type`, by both names. */
function authorities(value: Hl7Value): string[] {
  const [namespace, universal, type] = [1, 2, 3].map((part) => value.part(4, part));
  const prefix = new Map([
    ["ISO", "urn:oid:"],
    ["UUID", "urn:uuid:"],
    ["GUID", "urn:uuid:"],
  ]).get(type!.toUpperCase());
  const named = universal === "" ? "" : `${prefix ?? ""}${universal}`;
  return [named, namespace!].filter((system) => system !== "");
}

/** Data type XCN: id, family name, given name. */
export function personName(value: Hl7Value | undefined): string | undefined {
  if (value === undefined) return undefined;
  const name = [value.part(3), value.part(2)].filter((part) => part !== "").join(" ");
  return name === "" ? value.part(1) || undefined : name;
}

// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { parseHl7, partOf, type Hl7Segment, type Hl7Value } from "./hl7-text.js";
import type { PatientRef } from "./item.js";

/** What a message says of itself; the record is its bytes. */
export interface Hl7Facts {
  /** By what it amends an earlier one: MSH-4 with document or filler number; else with MSH-10 and MSH-7. */
  sourceKey: string | undefined;
  /** Label of the WHATWG Encoding Standard, of MSH-18. */
  encoding: string | undefined;
  /** FHIR date or dateTime. */
  recordedAt: string | undefined;
  author: string | undefined;
  subjects: readonly (readonly PatientRef[])[];
}

/**
 * Reads the metadata of one HL7 v2 message (ER7).
 * @throws ERR_ITEM_INVALID when the bytes do not begin with an MSH segment
 */
export function readHl7(bytes: Uint8Array): Hl7Facts {
  const message = parseHl7(bytes);
  const header = message?.segments[0];
  if (message === undefined || header === undefined) {
    throw new ChartsealError("ERR_ITEM_INVALID", "the message does not begin with an MSH segment", {
      hint: "HL7 v2 messages begin with MSH and its delimiters, in a code that has ASCII in it",
    });
  }
  const { segments, encoding } = message;
  const all = (name: string) => segments.filter((segment) => segment.name === name);
  const document = all("TXA")[0];
  const orders = all("OBR");
  const recorded = [document?.text(4), orders[0]?.text(7), all("EVN")[0]?.text(2), header.text(7)];
  return {
    sourceKey: sourceKeyOf(header, document, orders),
    encoding,
    recordedAt: recorded.map((text) => fhirDate(text ?? "")).find((date) => date !== undefined),
    author: personName(document?.values(9)[0]) ?? personName(orders[0]?.values(32)[0]),
    subjects: all("PID").map((pid) => identifiersOf(pid, header)),
  };
}

function sourceKeyOf(
  header: Hl7Segment,
  document: Hl7Segment | undefined,
  orders: readonly Hl7Segment[],
): string | undefined {
  const facility = header.raw(4);
  const number = document?.raw(12) ?? "";
  if (number !== "") return `${facility}/TXA-12/${number}`;
  const fillers = orders.map((order) => order.raw(3));
  // A message without the number of one of its results cannot be told from another by the numbers of the rest.
  if (fillers.length > 0 && !fillers.includes(""))
    return `${facility}/OBR-3/${[...new Set(fillers)].join("+")}`;
  const control = header.raw(10);
  // Control ids begin again some day: with its time, another message is no amendment.
  return control === "" ? undefined : `${facility}/MSH-10/${control}@${header.raw(7)}`;
}

/** Data type CX: PID-3, or the older PID-2. An id without an assigning authority is the sending facility's. */
function identifiersOf(pid: Hl7Segment, header: Hl7Segment): PatientRef[] {
  const own = pid.values(3);
  const values = own.length > 0 ? own : pid.values(2);
  const refs = values.flatMap((value) => {
    const id = partOf(value, 1);
    const systems = authorities(value);
    return (systems.length > 0 ? systems : [header.text(4)]).map((system) => ({ system, value: id }));
  });
  return refs.filter(({ value }) => value !== "");
}

/** Data type HD of CX-4: `namespace&id&type`, by both names. */
function authorities(value: Hl7Value): string[] {
  const [namespace, universal, type] = [1, 2, 3].map((part) => partOf(value, 4, part));
  const prefix = new Map([
    ["ISO", "urn:oid:"],
    ["UUID", "urn:uuid:"],
    ["GUID", "urn:uuid:"],
  ]).get(type!.toUpperCase());
  const named = universal === "" ? "" : `${prefix ?? ""}${universal}`;
  return [named, namespace!].filter((system) => system !== "");
}

/** Data type XCN: id, family name, given name. */
function personName(value: Hl7Value | undefined): string | undefined {
  const name = [partOf(value, 3), partOf(value, 2)].filter((part) => part !== "").join(" ");
  return name === "" ? partOf(value, 1) || undefined : name;
}

/** Data type DTM as FHIR writes it. A time without a zone is no FHIR dateTime: its day is kept. */
function fhirDate(text: string): string | undefined {
  const parts =
    /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2}(?:\.\d{1,4})?))?)?)?)?)?(?:([+-]\d{2})(\d{2}))?$/.exec(
      text,
    );
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second = "00", zoneHour, zoneMinute] = parts;
  const date = [year, month, day].filter((part) => part !== undefined).join("-");
  const zoned = minute !== undefined && zoneHour !== undefined;
  const whole = zoned ? `${date}T${hour}:${minute}:${second}${zoneHour}:${zoneMinute}` : date;
  return isDay(date) && !Number.isNaN(new Date(whole).getTime()) ? whole : undefined;
}

/** JavaScript takes 31 February for a day in March. */
function isDay(date: string): boolean {
  const time = new Date(date).getTime();
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

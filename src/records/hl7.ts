// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { fhirDate } from "./hl7-date.js";
import { documentKey, readHl7Event, type Hl7Event, type Hl7Key } from "./hl7-events.js";
import { identifiersOf, personName } from "./hl7-persons.js";
import { parseHl7, type Hl7Segment } from "./hl7-text.js";
import type { PatientRef } from "./item.js";

/** What a message says of itself; the record is its bytes. */
export interface Hl7Facts extends Hl7Event {
  /** By what it amends an earlier one: MSH-4 with document or filler numbers, sorted; else with MSH-10 and MSH-7. */
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
 * @throws ERR_ITEM_INVALID when the bytes do not begin with an MSH segment, or have more parts than may be read
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
  const key = keyOf(header, document, orders);
  const event = readHl7Event(segments, key);
  const facility = header.text(4);
  const replaces = [...key.formerKeys, ...(event.replaces ?? [])];
  return {
    sourceKey: key.sourceKey,
    encoding,
    recordedAt: recorded.map((text) => fhirDate(text ?? "")).find((date) => date !== undefined),
    author: personName(document?.values(9)[0]) ?? personName(orders[0]?.values(32)[0]),
    // Who is who is nobody's record: a chart must not show the identifiers of the other of the two.
    subjects: event.administrative === true ? [] : all("PID").map((pid) => identifiersOf(pid, facility)),
    ...event,
    ...(replaces.length === 0 ? {} : { replaces }),
  };
}

function keyOf(header: Hl7Segment, document: Hl7Segment | undefined, orders: readonly Hl7Segment[]): Hl7Key {
  const facility = header.raw(4);
  const number = document?.raw(12) ?? "";
  if (number !== "") return { sourceKey: documentKey(facility, number), numbered: true, formerKeys: [] };
  const fillers = orders.map((order) => order.raw(3));
  // A message without the number of one of its results cannot be told from another by the numbers of the rest.
  if (fillers.length > 0 && !fillers.includes("")) return resultsKey(facility, [...new Set(fillers)]);
  const control = header.raw(10);
  // Control ids begin again some day: with its time, another message is no amendment.
  const sourceKey = control === "" ? undefined : `${facility}/MSH-10/${control}@${header.raw(7)}`;
  return { sourceKey, numbered: false, formerKeys: [] };
}

/** A correction may have the same results in another order. */
function resultsKey(facility: string, fillers: readonly string[]): Hl7Key {
  const [sourceKey, asSent] = [fillers.toSorted(), fillers].map(
    (all) => `${facility}/OBR-3/${all.join("+")}`,
  );
  return { sourceKey, numbered: true, formerKeys: sourceKey === asSent ? [] : [asSent!] };
}

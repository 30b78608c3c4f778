// SPDX-License-Identifier: Apache-2.0
import { inflateRawSync } from "node:zlib";
import dicomParser, { type DataSet } from "dicom-parser";
import { DICOM_PATIENT } from "./item.js";
import type { PatientRef } from "./item.js";

/** How much of a file is read for its metadata, which stands before the pixels. */
export const DICOM_HEAD_BYTES = 4 * 1024 * 1024;

/** Most bytes that the metadata of a deflated file may grow to: a few bytes may say gigabytes. */
const MOST_INFLATED_BYTES = 64 * 1024 * 1024;
const PIXEL_DATA = "x7fe00010";

/** DICOM PS3.3 C.12.1.1.2, as labels of the WHATWG Encoding Standard; of several, only the first is used. */
const CHARSETS: ReadonlyMap<string, string> = new Map([
  ["", "us-ascii"],
  ["ISO_IR 6", "us-ascii"],
  ["ISO_IR 100", "iso-8859-1"],
  ["ISO_IR 101", "iso-8859-2"],
  ["ISO_IR 109", "iso-8859-3"],
  ["ISO_IR 110", "iso-8859-4"],
  ["ISO_IR 126", "iso-8859-7"],
  ["ISO_IR 127", "iso-8859-6"],
  ["ISO_IR 138", "iso-8859-8"],
  ["ISO_IR 144", "iso-8859-5"],
  ["ISO_IR 148", "windows-1254"],
  ["ISO_IR 166", "windows-874"],
  ["ISO_IR 13", "shift_jis"],
  ["ISO_IR 192", "utf-8"],
  ["GB18030", "gb18030"],
  ["GBK", "gbk"],
]);

/** What an image file says of itself; the record is its bytes. */
export interface DicomFacts {
  /** SOP Instance UID. */
  sourceKey: string | undefined;
  encoding: string | undefined;
  /** FHIR date or dateTime. */
  recordedAt: string | undefined;
  author: string | undefined;
  subjects: readonly (readonly PatientRef[])[];
}

/**
 * Reads the metadata of a DICOM file (PS3.10) from its first bytes. A file that is cut short or damaged says what can
 * be read of it; the pixels are never looked at.
 */
export function readDicom(head: Uint8Array): DicomFacts {
  const data = parse(head);
  if (data === undefined) return NOTHING;
  const charset = data.string("x00080005")?.split("\\")[0]?.trim() ?? "";
  const encoding = CHARSETS.get(charset);
  const text = (tag: string, from = data) => textOf(from, tag, encoding);
  const [family, given] = (text("x00081050") || text("x00080090")).split("=")[0]!.split("^");
  const author = [given ?? "", family ?? ""].filter((part) => part !== "").join(" ");
  const refs = [data, ...itemsOf(data, "x00101002")].flatMap((person) => identifierOf(person, text));
  return {
    sourceKey: text("x00080018") || undefined,
    encoding: charset === "" ? undefined : encoding,
    recordedAt: recordedAt(text),
    author: author || undefined,
    subjects: refs.length === 0 ? [] : [refs],
  };
}

const NOTHING: DicomFacts = {
  ...{ sourceKey: undefined, encoding: undefined, recordedAt: undefined, author: undefined },
  subjects: [],
};

function parse(head: Uint8Array): DataSet | undefined {
  const inflater = (bytes: Uint8Array, position: number) =>
    Buffer.concat([
      bytes.subarray(0, position),
      inflateRawSync(bytes.subarray(position), { maxOutputLength: MOST_INFLATED_BYTES }),
    ]);
  try {
    return dicomParser.parseDicom(head, { untilTag: PIXEL_DATA, inflater });
  } catch (error) {
    // What was read before the fault; the identifiers stand at the beginning.
    return (error as { dataSet?: DataSet } | undefined)?.dataSet;
  }
}

type TextOf = (tag: string, from?: DataSet) => string;

/** PS3.3 C.2.2: PatientID and its issuer, by both names of the issuer. */
function identifierOf(person: DataSet, text: TextOf): PatientRef[] {
  const value = text("x00100020", person);
  if (value === "") return [];
  const qualifiers = itemsOf(person, "x00100024")[0];
  const universal = qualifiers === undefined ? "" : text("x00400032", qualifiers);
  const type = qualifiers === undefined ? "" : text("x00400033", qualifiers);
  const prefix = type === "ISO" ? "urn:oid:" : type === "UUID" ? "urn:uuid:" : "";
  const named = [universal === "" ? "" : prefix + universal, text("x00100021", person)];
  const systems = named.filter((system) => system !== "");
  return (systems.length > 0 ? systems : [DICOM_PATIENT]).map((system) => ({ system, value }));
}

function itemsOf(data: DataSet, tag: string): DataSet[] {
  return (data.elements[tag]?.items ?? []).flatMap(({ dataSet }) => dataSet ?? []);
}

/** Of content, series or study, the first that is a date; with its time where a zone is given. */
function recordedAt(text: TextOf): string | undefined {
  const pairs = [
    ["x00080023", "x00080033"],
    ["x00080022", "x00080032"],
    ["x00080021", "x00080031"],
    ["x00080020", "x00080030"],
  ] as const;
  const zone = /^([+-]\d{2})(\d{2})$/.exec(text("x00080201"));
  for (const [day, time] of pairs) {
    // ACR-NEMA wrote the day with dots.
    const date = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(text(day))?.slice(1).join("-");
    if (date === undefined || Number.isNaN(new Date(date).getTime())) continue;
    const clock = /^(\d{2})(\d{2})(\d{2})/.exec(text(time))?.slice(1).join(":");
    const whole = zone === null || clock === undefined ? date : `${date}T${clock}${zone[1]}:${zone[2]}`;
    return Number.isNaN(new Date(whole).getTime()) ? date : whole;
  }
  return undefined;
}

function textOf(data: DataSet, tag: string, encoding: string | undefined): string {
  const element = data.elements[tag];
  if (element === undefined || element.items !== undefined) return "";
  const bytes = data.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
  const text =
    encoding === undefined ? Buffer.from(bytes).toString("latin1") : new TextDecoder(encoding).decode(bytes);
  return text.replaceAll("\0", "").trim();
}

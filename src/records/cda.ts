// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { fhirDate } from "./hl7-date.js";
import type { PatientRef } from "./item.js";
import { scanXml, type XmlEvent } from "./xml-head.js";

/** How much of a document is read for its header, which ends where its body begins. */
export const CDA_HEAD_BYTES = 256 * 1024;
/** As the examples of FHIR R4 (DocumentReference) call it. */
export const CDA_MEDIA_TYPE = "application/hl7-v3+xml";

const HL7_V3 = "urn:hl7-org:v3";
/** `PatientRef.system` of an identifier that is whole without an extension (RFC 3986; FHIR R4, 2.24.0.10). */
const URI = "urn:ietf:rfc:3986";
/** Longest author kept, in UTF-16 units. */
const MAX_AUTHOR = 512;

/** What a clinical document says of itself; the record is its bytes. */
export interface CdaFacts {
  /** The set of its versions, or the document: by what it amends an earlier one. */
  sourceKey: string;
  /** What it takes the place of (relatedDocument RPLC), when its own key is new. */
  replaces: readonly string[] | undefined;
  /** Label of the WHATWG Encoding Standard. */
  encoding: string;
  /** effectiveTime, as a FHIR date or dateTime. */
  recordedAt: string | undefined;
  author: string | undefined;
  /** recordTarget: one inner list per person. */
  subjects: readonly (readonly PatientRef[])[];
}

/** Whether a file may be a clinical document; {@link readCda} then says. */
export function mayBeCda(head: Uint8Array): boolean {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, 4_096)).toString("latin1");
  return /^(?:\xef\xbb\xbf)?\s*</.test(text)
    ? text.includes("ClinicalDocument")
    : /^(?:\xfe\xff|\xff\xfe)/.test(text);
}

/**
 * Reads the header of a CDA R2 document (ClinicalDocument in urn:hl7-org:v3) from its first bytes.
 * @returns undefined for anything else, and for a header that cannot be read to its end
 */
export function readCda(head: Uint8Array): CdaFacts | undefined {
  const decoded = mayBeCda(head) ? decode(head.subarray(0, CDA_HEAD_BYTES)) : undefined;
  if (decoded === undefined) return undefined;
  const header = new Header();
  try {
    for (const event of scanXml(decoded.text)) {
      if (!header.see(event)) return undefined;
      if (header.ended) return header.facts(decoded.encoding);
    }
  } catch (error) {
    if (!(error instanceof ChartsealError)) throw error;
  }
  return undefined;
}

/** Undefined for bytes that are not in the encoding that they name, or in one that nobody knows. */
function decode(head: Uint8Array): { text: string; encoding: string } | undefined {
  const first = Buffer.from(head.subarray(0, 256)).toString("latin1");
  const marked = first.startsWith("\xfe\xff")
    ? "utf-16be"
    : first.startsWith("\xff\xfe")
      ? "utf-16le"
      : undefined;
  const declared = /^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(
    first,
  )?.[1];
  try {
    const decoder = new TextDecoder(marked ?? declared ?? "utf-8", { fatal: true });
    // As a stream: the last character may be cut.
    return { text: decoder.decode(head, { stream: true }), encoding: decoder.encoding };
  } catch {
    return undefined;
  }
}

interface Related {
  readonly type: string;
  readonly keys: string[];
}

/** Gathers what is read of a header, element by element. */
class Header {
  ended = false;
  readonly #path: string[] = [];
  readonly #subjects: PatientRef[][] = [];
  readonly #related: Related[] = [];
  readonly #author: string[] = [];
  #authors = 0;
  #id: string | undefined;
  #setId: string | undefined;
  #effectiveTime = "";

  /** False when it is no clinical document. */
  see(event: XmlEvent): boolean {
    if (event.kind === "text") {
      const place = this.#path.join("/");
      const named = /^ClinicalDocument\/author\/assignedAuthor\/assignedPerson\/name(?:\/|$)/.test(place);
      if (named && this.#authors === 1 && event.text.trim() !== "") this.#author.push(event.text.trim());
    } else if (event.kind === "end") {
      this.#path.pop();
      this.ended ||= this.#path.length === 0;
    } else {
      this.#path.push(event.namespace === HL7_V3 ? event.name : "");
      this.#start(this.#path.join("/"), event.attributes);
    }
    return this.#path.length === 0 || this.#path[0] === "ClinicalDocument";
  }

  #start(place: string, attributes: ReadonlyMap<string, string>): void {
    switch (place.replace(/^ClinicalDocument\//, "")) {
      case "id":
        this.#id ??= keyOf("id", attributes);
        break;
      case "setId":
        this.#setId ??= keyOf("setId", attributes);
        break;
      case "effectiveTime":
        this.#effectiveTime ||= attributes.get("value") ?? "";
        break;
      case "recordTarget":
        this.#subjects.push([]);
        break;
      case "recordTarget/patientRole/id":
        this.#subjects.at(-1)?.push(...refOf(attributes));
        break;
      case "author":
        this.#authors++;
        break;
      case "relatedDocument":
        this.#related.push({ type: attributes.get("typeCode") ?? "", keys: [] });
        break;
      case "relatedDocument/parentDocument/id":
      case "relatedDocument/parentDocument/setId":
        this.#related.at(-1)?.keys.push(keyOf(place.endsWith("/setId") ? "setId" : "id", attributes) ?? "");
        break;
      case "component":
        this.ended = true;
    }
  }

  /** Undefined for a document without an id, which CDA requires. */
  facts(encoding: string): CdaFacts | undefined {
    const sourceKey = this.#setId ?? this.#id;
    if (sourceKey === undefined) return undefined;
    const replaced = this.#related.filter(({ type }) => type === "RPLC").flatMap(({ keys }) => keys);
    const replaces = replaced.filter((key) => key !== "" && key !== sourceKey);
    return {
      sourceKey,
      replaces: replaces.length === 0 ? undefined : replaces,
      encoding,
      recordedAt: fhirDate(this.#effectiveTime),
      author: this.#author.join(" ").slice(0, MAX_AUTHOR) || undefined,
      subjects: this.#subjects,
    };
  }
}

/** Data type II: a root, and an extension unless the root says all. */
function keyOf(element: "id" | "setId", attributes: ReadonlyMap<string, string>): string | undefined {
  const { root, extension } = instance(attributes);
  if (root === "") return undefined;
  return `CDA/${element}/${root}${extension === "" ? "" : `|${extension}`}`;
}

function refOf(attributes: ReadonlyMap<string, string>): PatientRef[] {
  const { root, extension } = instance(attributes);
  if (root === "") return [];
  const uri = /^[0-2](?:\.\d+)+$/.test(root)
    ? `urn:oid:${root}`
    : /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/.test(root)
      ? `urn:uuid:${root.toLowerCase()}`
      : root;
  return [extension === "" ? { system: URI, value: uri } : { system: uri, value: extension }];
}

function instance(attributes: ReadonlyMap<string, string>): { root: string; extension: string } {
  return { root: attributes.get("root")?.trim() ?? "", extension: attributes.get("extension")?.trim() ?? "" };
}

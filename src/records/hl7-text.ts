// SPDX-License-Identifier: Apache-2.0

/** HL7 v2 table 0211 and names found in the field, as labels of the WHATWG Encoding Standard. */
const CHARSETS: ReadonlyMap<string, string> = new Map([
  ["ASCII", "us-ascii"],
  ["UNICODE UTF-8", "utf-8"],
  ["UTF-8", "utf-8"],
  ["UTF8", "utf-8"],
  ["GB 18030-2000", "gb18030"],
  ["GB18030", "gb18030"],
  ["GBK", "gb18030"],
  ["GB2312", "gb18030"],
  ["BIG-5", "big5"],
  ["KS X 1001", "euc-kr"],
  ["ISO IR87", "iso-2022-jp"],
  ...Array.from({ length: 15 }, (_, part) => [`8859/${part + 1}`, `iso-8859-${part + 1}`] as const),
]);

/** The encoding of an MSH-18 value, as the WHATWG Encoding Standard names it; undefined when nobody knows it. */
export function encodingOf(name: string): string | undefined {
  return CHARSETS.get(name.trim().toUpperCase());
}

/** What stands between the parts of a message (HL7 v2.9.1, 2.5.4). */
interface Delimiters {
  field: string;
  component: string;
  repetition: string;
  escape: string;
  subcomponent: string;
}

/** A value's sub-components by component: `"A&B^C"` is `[["A", "B"], ["C"]]`. */
export type Hl7Value = readonly (readonly string[])[];

/** One segment of a message; fields count from 1, as the standard counts them. */
export class Hl7Segment {
  readonly name: string;
  readonly #fields: readonly string[];
  readonly #delimiters: Delimiters;

  constructor(text: string, delimiters: Delimiters) {
    const [name = "", ...fields] = text.split(delimiters.field);
    this.name = name;
    // MSH-1 is the field separator itself.
    this.#fields = name === "MSH" ? [delimiters.field, ...fields] : fields;
    this.#delimiters = delimiters;
  }

  /** A field as it stands. */
  raw(field: number): string {
    return this.#fields[field - 1] ?? "";
  }

  /** A field's repetitions that are neither empty nor HL7's null (`""`). */
  values(field: number): Hl7Value[] {
    const { repetition, component, subcomponent } = this.#delimiters;
    return this.raw(field)
      .split(repetition)
      .filter((text) => text !== "" && text !== '""')
      .map((text) =>
        text
          .split(component)
          .map((part) => part.split(subcomponent).map((sub) => this.#unescape(sub).trim())),
      );
  }

  /** The first sub-component of a component of the first repetition; "" when there is none. */
  text(field: number, component = 1): string {
    return partOf(this.values(field)[0], component);
  }

  /** HL7 v2.9.1, 2.7: the delimiters, and hexadecimal bytes. What is for display only is left as it stands. */
  #unescape(text: string): string {
    const { field, component, repetition, escape, subcomponent } = this.#delimiters;
    if (escape === "" || !text.includes(escape)) return text;
    const meanings = new Map([
      ["F", field],
      ["S", component],
      ["R", repetition],
      ["E", escape],
      ["T", subcomponent],
    ]);
    const parts = text.split(escape);
    return parts
      .map((part, position) => {
        const isCode = position % 2 === 1 && position < parts.length - 1;
        if (!isCode) return position % 2 === 1 ? escape + part : part;
        const bytes = /^X((?:[0-9A-Fa-f]{2})+)$/.exec(part)?.[1];
        if (bytes !== undefined) return Buffer.from(bytes, "hex").toString("latin1");
        return meanings.get(part) ?? escape + part + escape;
      })
      .join("");
  }
}

/** A component's first sub-component, or another one. */
export function partOf(value: Hl7Value | undefined, component: number, subcomponent = 1): string {
  return value?.[component - 1]?.[subcomponent - 1] ?? "";
}

export interface Hl7Message {
  /** As the WHATWG Encoding Standard names it; undefined when MSH-18 does not say, or says what nobody knows. */
  encoding: string | undefined;
  segments: readonly Hl7Segment[];
}

/** Splits a message that begins with MSH; undefined when it does not. The bytes are never changed. */
export function parseHl7(bytes: Uint8Array): Hl7Message | undefined {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (!/^MSH[^\w\s]/.test(latin1)) return undefined;
  const header = segmentsOf(latin1.slice(0, 4_096))[0]!;
  const encoding = encodingOf(header.text(18));
  // Decoded before it is split: in GB18030 the second byte of a character may be "|", "^", "~" or "\".
  const text = encoding === undefined ? latin1 : new TextDecoder(encoding).decode(bytes);
  return { encoding, segments: segmentsOf(text) };
}

function segmentsOf(text: string): Hl7Segment[] {
  const [field = "|", component = "^", repetition = "~", escape = "\\", subcomponent = "&"] = text.slice(
    3,
    8,
  );
  // Without sub-components or escapes MSH-2 is shorter, and the next field separator comes at once.
  const delimiters = {
    field,
    component,
    repetition,
    escape: escape === field ? "" : escape,
    subcomponent: subcomponent === field || escape === field ? "&" : subcomponent,
  };
  return text
    .split(/[\r\n]+/)
    .filter((line) => line !== "")
    .map((line) => new Hl7Segment(line, delimiters));
}

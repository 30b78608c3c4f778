// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";

/** What stands in an XML text, in order. */
export type XmlEvent =
  | {
      readonly kind: "start";
      readonly namespace: string;
      /** Without its prefix. */
      readonly name: string;
      /** Those without a prefix. */
      readonly attributes: ReadonlyMap<string, string>;
    }
  | { readonly kind: "end" }
  | { readonly kind: "text"; readonly text: string };

/** Deepest nesting read: clinical headers need some ten levels. */
const MAX_DEPTH = 64;
/** XML 1.0, 4.6: the only entities there are without a document type. */
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["apos", "'"],
  ["quot", '"'],
]);
const NAME = String.raw`[\p{L}_][\p{L}\p{M}\p{N}._\-\xb7]*`;
const QNAME = `${NAME}(?::${NAME})?`;
const VALUE = String.raw`"[^"<]*"|'[^'<]*'`;
const START = new RegExp(String.raw`<(${QNAME})((?:\s+${QNAME}\s*=\s*(?:${VALUE}))*)\s*(/?)>`, "uy");
const END = new RegExp(String.raw`</(${QNAME})\s*>`, "uy");
const ATTRIBUTES = new RegExp(String.raw`(${QNAME})\s*=\s*(${VALUE})`, "ug");

interface OpenElement {
  readonly qname: string;
  /** Namespaces by prefix; "" is the default one. */
  readonly namespaces: ReadonlyMap<string, string>;
}

/**
 * Reads the beginning of an XML text, for as long as the caller asks: no document type, hence no entity to expand and
 * nothing to fetch. Ends where the text is cut between two marks.
 * @throws ERR_ITEM_INVALID for what is not well-formed, has a document type, or is cut inside a mark
 */
export function* scanXml(text: string): Generator<XmlEvent, void> {
  const open: OpenElement[] = [];
  for (let at = 0; at < text.length;) {
    if (text[at] !== "<") {
      const end = text.indexOf("<", at);
      if (open.length > 0)
        yield { kind: "text", text: unescaped(text.slice(at, end === -1 ? undefined : end)) };
      if (end === -1) return;
      at = end;
    } else if (text.startsWith("<!--", at)) at = after(text, "-->", at + 4);
    else if (text.startsWith("<?", at)) at = after(text, "?>", at + 2);
    else if (text.startsWith("<![CDATA[", at)) {
      const end = after(text, "]]>", at);
      yield { kind: "text", text: text.slice(at + 9, end - 3) };
      at = end;
    } else if (text.startsWith("</", at)) {
      const end = matchAt(END, text, at);
      if (open.pop()?.qname !== end[1]) throw fault("an element is closed that is not open");
      yield { kind: "end" };
      at += end[0].length;
    } else {
      const start = matchAt(START, text, at);
      at += start[0].length;
      yield enter(open, start[1]!, start[2]!);
      if (start[3] === "/") {
        open.pop();
        yield { kind: "end" };
      }
    }
  }
}

/** Opens an element: its name and attributes, with what its prefix means here. */
function enter(open: OpenElement[], qname: string, written: string): XmlEvent {
  if (open.length === MAX_DEPTH) throw fault(`elements are nested deeper than ${MAX_DEPTH} levels`);
  const attributes = new Map<string, string>();
  const namespaces = new Map(open.at(-1)?.namespaces);
  const seen = new Set<string>();
  for (const [, name = "", quoted = ""] of written.matchAll(ATTRIBUTES)) {
    if (seen.has(name)) throw fault("an attribute stands twice");
    seen.add(name);
    const value = unescaped(quoted.slice(1, -1));
    if (name === "xmlns") namespaces.set("", value);
    else if (name.startsWith("xmlns:")) namespaces.set(name.slice("xmlns:".length), value);
    else if (!name.includes(":")) attributes.set(name, value);
  }
  open.push({ qname, namespaces });
  const colon = qname.indexOf(":");
  const prefix = colon === -1 ? "" : qname.slice(0, colon);
  const namespace = namespaces.get(prefix) ?? (prefix === "" ? "" : undefined);
  if (namespace === undefined) throw fault("a prefix is not declared");
  return { kind: "start", namespace, name: qname.slice(colon + 1), attributes };
}

/** Character references and the five predefined entities; there are no others here. */
function unescaped(text: string): string {
  return text.replaceAll(/&([^;&\s]{0,12};)?/g, (_, reference: string | undefined) => {
    const name = reference?.slice(0, -1) ?? "";
    const character = ENTITIES.get(name) ?? referenced(name);
    if (character === undefined) throw fault("an entity is not defined");
    return character;
  });
}

/** `#x4e09` or `#19977`; undefined for anything else, and for what XML does not allow. */
function referenced(name: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name) ?? [];
  const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  if (found === -1) throw fault("the text ends inside a mark");
  return found + mark.length;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) throw fault("a mark is not well-formed, or is a document type");
  return match;
}

function fault(what: string): ChartsealError {
  return new ChartsealError("ERR_ITEM_INVALID", `the XML cannot be read: ${what}`);
}

// SPDX-License-Identifier: Apache-2.0
import { printable } from "../printable.js";

/** HTML that was put together by {@link element}: text is never taken for it. */
export class Markup {
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }
}

export type Content = string | Markup;

/** Elements that have no end tag (HTML, 13.1.2). */
const VOID = new Set(["meta", "br"]);

/** An element. Whatever text it holds, in attributes too, stays text. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...contents: readonly Content[]
): Markup {
  const written = Object.entries(attributes).map(([attribute, value]) => ` ${attribute}="${escaped(value)}"`);
  const start = `<${name}${written.join("")}>`;
  if (VOID.has(name)) return new Markup(start);
  const inner = contents.map((content) => (content instanceof Markup ? content.html : escaped(content)));
  return new Markup(`${start}${inner.join("")}</${name}>`);
}

function escaped(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

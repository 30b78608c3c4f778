// SPDX-License-Identifier: Apache-2.0
import { element, Markup, type Content } from "./markup.js";
import { POLICY, STYLE } from "./html-style.js";

/** A whole HTML file for people. No script runs in it and nothing is fetched. @param tag BCP 47 */
export function htmlPage(tag: string, title: string, ...content: Content[]): string {
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", { "http-equiv": "Content-Security-Policy", content: POLICY }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("meta", { name: "referrer", content: "no-referrer" }),
    element("title", {}, title),
    new Markup(`<style>${STYLE}</style>`),
  );
  const body = element("body", {}, ...content);
  return `<!DOCTYPE html>\n${element("html", { lang: tag }, head, body).html}\n`;
}

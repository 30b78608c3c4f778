// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

/** For A4, for a screen, and for a phone, where a row becomes a card and each cell says what it is. */
export const STYLE = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  margin: 2em auto; max-width: 78em; padding: 0 1em; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.6em; margin: 0 0 .6em; }
h2 { font-size: 1.2em; margin: 2em 0 .5em; }
h3 { font-size: 1em; margin: 1.2em 0 .3em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15em 1.2em; margin: 0; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .85em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.verdict { border-left: .4em solid #1b7a3d; background: #eef7f0; padding: .6em 1em; font-weight: 600; }
.verdict.incomplete { border-color: #b00020; background: #fdecee; }
.alarm { color: #b00020; font-weight: 600; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: #555; padding-bottom: .4em; }
th, td { border: 1px solid #bbb; padding: .35em .5em; text-align: left; vertical-align: top; overflow-wrap: break-word; }
thead th { background: #f0f0f0; }
td p { margin: 0; }
.time { white-space: nowrap; }
.quiet { color: #555; font-size: .88em; }
@media screen and (max-width: 48em) {
  thead { position: absolute; clip-path: inset(50%); }
  table, caption, tbody, tr, td { display: block; }
  tr { border: 1px solid #bbb; margin-bottom: 1em; }
  td { border: 0; border-bottom: 1px solid #e4e4e4; }
  td::before { content: attr(data-label); display: block; color: #555; font-size: .85em; }
  td:empty { display: none; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .5em; }
}
@page { size: A4 landscape; margin: 14mm 12mm 16mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
@media print {
  body { font-size: 8.5pt; margin: 0; max-width: none; padding: 0; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  .verdict, thead th { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;

/** Nothing is fetched, nothing runs, and no other style than {@link STYLE} applies. */
export const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; form-action 'none'; base-uri 'none'`;

// SPDX-License-Identifier: Apache-2.0
import { element, htmlPage, type Content, type Language, type Markup } from "../audit/index.js";
import type { ArchiveEnrolment } from "./archive-enrolment.js";
import type { ArchiveEntry, ArchiveManifest } from "./archive-manifest.js";
import type { PendingItem } from "./archive-pending.js";
import { PAGE_WORDS, type PageWords } from "./archive-page-words.js";

/**
 * index.html of an archive: what is in it, for a person. No script, nothing fetched; links lead to files of the archive
 * alone. It proves nothing: the receipts do.
 */
export function archivePage(
  manifest: ArchiveManifest,
  enrolment: readonly ArchiveEnrolment[],
  language: Language,
): string {
  const words = PAGE_WORDS[language];
  const heading = words.heading(manifest.member);
  return htmlPage(
    words.tag,
    heading,
    element("h1", {}, heading),
    element("p", { class: "alarm" }, words.secret),
    persons(enrolment, manifest, words),
    records(manifest, words),
    pending(manifest.pending, words),
    audits(manifest, words),
    element("h2", {}, words.check),
    element("p", {}, words.checkText, " ", element("code", {}, "chartseal verify --archive")),
  );
}

function persons(
  enrolment: readonly ArchiveEnrolment[],
  { exportedAt, member, memberId }: ArchiveManifest,
  words: PageWords,
): Markup {
  const facts: [string, Content][] = [
    [words.custodian, `${member} (${memberId})`],
    [words.exportedAt, exportedAt],
    ...enrolment.flatMap(({ patientId, identifiers, label, signer }): [string, Content][] => [
      [words.pseudonym, element("code", {}, patientId)],
      ...(label === undefined ? [] : [[words.label, label] as [string, Content]]),
      ...identifiers.map(({ system, value }): [string, Content] => [
        words.identifier,
        `${system} | ${value}`,
      ]),
      ...(signer === undefined ? [] : [[words.signer, element("code", {}, signer)] as [string, Content]]),
    ]),
  ];
  const list = facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("section", {}, element("h2", {}, words.you), element("dl", {}, ...list));
}

function records({ entries }: ArchiveManifest, words: PageWords): Markup {
  const { number, what, recorded, compartment, state } = words.columns;
  const rows = entries.map((entry) => [
    [String(entry.index)],
    [named(entry)],
    [entry.content?.recordedAt ?? ""],
    [entry.compartment],
    [stateOf(entry, words), " ", link(entry.receipt, words.receipt)],
  ]);
  const list = table([number, what, recorded, compartment, state], rows);
  return element("section", {}, element("h2", {}, words.records), rows.length === 0 ? words.none : list);
}

function named({ kind, content }: ArchiveEntry): Content {
  return content === undefined ? kind : link(content.file, content.label);
}

function stateOf({ withheld, status }: ArchiveEntry, { withheld: reasons }: PageWords): string {
  if (withheld === undefined) return status.join(" ").toLowerCase();
  return reasons[withheld] ?? withheld;
}

function pending(items: readonly PendingItem[], words: PageWords): Markup {
  const { what, received, state } = words.columns;
  const rows = items.map(({ label, file, receivedAt, state: name, reason, withheld }) => [
    [file === undefined ? label : link(file, label)],
    [receivedAt],
    [
      words.states[name] ?? name,
      ...(reason === undefined ? [] : [` (${reason})`]),
      ...(withheld === undefined ? [] : [`; ${words.withheld[withheld] ?? withheld}`]),
    ],
  ]);
  return element(
    "section",
    {},
    element("h2", {}, words.pending),
    element("p", {}, words.pendingText),
    rows.length === 0 ? words.none : table([what, received, state], rows),
  );
}

function audits({ patients }: ArchiveManifest, words: PageWords): Markup {
  const links = patients.flatMap((_, place) =>
    [`-${words.language}.txt`, ".csv"].map((end) => {
      const file = `audit/patient-${place + 1}${end}`;
      return element("li", {}, link(file, file));
    }),
  );
  return element("section", {}, element("h2", {}, words.audit), element("ul", {}, ...links));
}

/** To a file of the archive; its name may hold any letter. */
function link(file: string, text: string): Markup {
  return element("a", { href: file.split("/").map(encodeURIComponent).join("/") }, text);
}

/** On a phone a cell says itself what it is. */
function table(names: readonly string[], rows: readonly (readonly Content[])[][]): Markup {
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)))),
    element(
      "tbody",
      {},
      ...rows.map((cells) =>
        element(
          "tr",
          {},
          ...cells.map((contents, column) => element("td", { "data-label": names[column]! }, ...contents)),
        ),
      ),
    ),
  );
}

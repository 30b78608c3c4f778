// SPDX-License-Identifier: Apache-2.0
import { memberOf, type Audit, type AuditEntry, type Lookup } from "./audit.js";
import { detailOf, nameOf, suspicions, whatOf } from "./details.js";
import { basisOf, code, paragraph, type Wording } from "./html-basis.js";
import { htmlPage } from "./html-page.js";
import { HTML_WORDS, type HtmlWords } from "./html-words.js";
import { isoTime } from "./iso-time.js";
import { LocalTime } from "./local-time.js";
import { element, type Content, type Markup } from "./markup.js";
import { LANGUAGES, type Language } from "./messages.js";
import { allRowsOf, isAccounting, isLookup, type LookupRow, type Report, type Row } from "./report.js";

/** How the printable report is written. */
export interface HtmlOptions {
  /** Default: en. */
  language?: Language;
  /** IANA name; local times are given beside UTC. Default: this machine's. */
  timeZone?: string;
}

/**
 * Disclosures as one HTML file to print or to read on a phone: no script, nothing fetched. It names the patient and
 * records where this member's vault and journal do: it is for the patient, a court, the privacy officer.
 * @throws ERR_USAGE for an unknown time zone
 */
export function html(report: Report, { language = "en", timeZone }: HtmlOptions = {}): string {
  const wording = {
    words: HTML_WORDS[language],
    messages: LANGUAGES[language],
    time: new LocalTime(timeZone),
  };
  const { words } = wording;
  return htmlPage(
    words.tag,
    words.heading,
    top(report, wording),
    events(report, wording),
    proof(report, wording),
  );
}

function top(report: Report, wording: Wording): Markup {
  const { words, messages, time } = wording;
  const { filter, block } = report;
  const both = (seconds: number) => `${time.text(seconds)} (${isoTime(seconds)})`;
  const from =
    filter.from === undefined ? messages.beginning : both(Math.floor(filter.from.getTime() / 1000));
  const to = Math.min(block.at, Math.floor((filter.to?.getTime() ?? Infinity) / 1000));
  const shown = allRowsOf(report).length;
  const facts: [string, Content][] = [
    ...about(report, words),
    [words.facts.period, `${from} ${words.to} ${both(to)}`],
    [words.facts.zone, time.zone],
    [words.facts.block, element("span", {}, `${block.number}, ${both(block.at)}, `, code(block.hash))],
    [words.facts.chain, String(report.chainId)],
    [
      words.facts.shown,
      isAccounting(report) || shown === report.total ? String(shown) : `${shown} / ${report.total}`,
    ],
  ];
  const list = facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element(
    "header",
    {},
    element("h1", {}, words.heading),
    element("dl", {}, ...list),
    verdict(report, wording),
  );
}

function about(report: Report, words: HtmlWords): [string, Content][] {
  if (isAccounting(report)) {
    const { subject } = report;
    const of = "clinician" in subject ? code(subject.clinician) : nameOf(report, subject.member);
    return [[words.facts.subject, of]];
  }
  const name = report.local?.patient;
  return [
    ...(name === undefined ? [] : [[words.facts.patient, name] as [string, Content]]),
    [words.facts.pseudonym, code(report.patientId)],
    [words.facts.custodian, nameOf(report, report.custodian)],
  ];
}

function verdict(report: Report, wording: Wording): Markup {
  const text = verdictText(report, wording).replace(/^(\S+) {2,}/, "$1: ");
  return element("p", { class: report.complete ? "verdict" : "verdict incomplete" }, text);
}

function verdictText(report: Report, { messages, words: { stop } }: Wording): string {
  if (!isAccounting(report)) {
    const counted = report.heads.reduce((sum, { count }) => sum + count, 0);
    return report.complete ? messages.complete(counted) : messages.incomplete;
  }
  const { checked, audits, complete } = report;
  const wrong = audits.filter((audit) => !audit.complete).length;
  const { proven, incomplete, unproven } = messages.accounting;
  return `${complete ? proven(checked.own, checked.others) : incomplete(wrong).replace(/[.。]$/u, "")}${stop}${unproven}`;
}

function events(report: Report, wording: Wording): Markup {
  const { words, messages } = wording;
  const { when, patient, what, who, purpose, basis, place } = words.columns;
  const names = [when, ...(isAccounting(report) ? [patient] : []), what, who, purpose, basis, place];
  const rows = allRowsOf(report);
  const cells = rows.map((row) => cellsOf(row, isAccounting(report), wording));
  const list = rows.length === 0 ? paragraph(messages.none) : table(names, cells);
  return element("main", {}, element("h2", {}, words.events), list);
}

function cellsOf(row: Row | LookupRow, withPatient: boolean, wording: Wording): Markup[][] {
  const { entry, audit } = row;
  const { words, messages, time } = wording;
  return [
    [
      element("p", { class: "time" }, time.text(entry.at)),
      element("p", { class: "quiet time" }, isoTime(entry.at)),
    ],
    ...(withPatient ? [isLookup(row) ? [] : patientOf(row.audit)] : []),
    [element("strong", {}, messages.kinds[entry.kind]), whatIn(row, wording)],
    whoOf(entry, audit, wording),
    purposesOf(entry).map((one) => paragraph(`${words.purposes[one]} (${one})`)),
    isLookup(row) ? [] : basisOf(row.entry, row.audit, wording),
    [
      paragraph(`${words.block} ${entry.blockNumber}`),
      element("p", { class: "quiet" }, `${words.transaction} `, code(entry.transactionHash)),
    ],
  ];
}

function patientOf({ local, patientId }: Audit): Markup[] {
  return [...(local?.patient === undefined ? [] : [paragraph(local.patient)]), paragraph(code(patientId))];
}

function whatIn(row: Row | LookupRow, { messages }: Wording): Markup {
  if (isLookup(row)) return paragraph(messages.lookup(row.entry.lookupId));
  const { entry, audit } = row;
  return paragraph(
    entry.kind === "access" ? whatOf(entry, audit, messages) : detailOf(entry, audit, messages),
  );
}

function whoOf(entry: AuditEntry | Lookup, audit: Pick<Audit, "members">, { messages }: Wording): Markup[] {
  const member = memberOf(entry);
  return [
    ...(member === undefined ? [] : [paragraph(nameOf(audit, member))]),
    ...accountsOf(entry).map((account) => paragraph(code(account))),
    ...suspicions(entry, messages, (account) => account).map((text) =>
      element("p", { class: "alarm" }, text),
    ),
  ];
}

/** Who acted, where the event names an account and the basis does not. */
function accountsOf(entry: AuditEntry | Lookup): string[] {
  if (entry.kind === "lookup") return [entry.reader];
  if (entry.kind === "access") return entry.memberId === 0 ? [] : [entry.reader];
  if (!("details" in entry)) return [];
  const { officer, first, second, reviewer, reader } = entry.details;
  return [officer, first ?? reader, second, reviewer].filter((account) => account !== undefined);
}

function purposesOf(entry: AuditEntry | Lookup) {
  if (entry.kind === "access") return [entry.purpose];
  return entry.kind === "grant-given" ? entry.purposes : [];
}

function proof(report: Report, { words, messages }: Wording): Markup {
  const audits = isAccounting(report) ? report.audits : [report];
  const { contract, events: counted, head, finding } = words.heads;
  const tables = audits.map(({ patientId, heads, contracts }) =>
    table(
      [contract, counted, head, finding],
      heads.map((one) => [
        [paragraph(one.registry), paragraph(code(contracts[one.registry]))],
        [paragraph(String(one.count))],
        [paragraph(code(one.head))],
        [element("p", one.complete ? {} : { class: "alarm" }, messages.head(one))],
      ]),
      patientId,
    ),
  );
  const [ask, again, verify] = words.steps as [string, string, string];
  const question = questionOf(report);
  return element(
    "footer",
    {},
    element("h2", {}, words.completeness),
    paragraph(words.completenessText),
    ...tables,
    element("h2", {}, words.check),
    element(
      "ol",
      {},
      element("li", {}, ask),
      element("li", {}, `${again} `, code(`chartseal audit ${question}`)),
      element("li", {}, `${verify} `, code(`chartseal audit ${question} --verify FILE`)),
    ),
  );
}

function questionOf(report: Report): string {
  if (!isAccounting(report)) return `--patient ${report.patientId}`;
  const { subject } = report;
  return "clinician" in subject ? `--clinician ${subject.clinician}` : `--member ${subject.member}`;
}

/** On a phone a cell says itself what it is. */
function table(names: readonly string[], rows: readonly (readonly Markup[])[][], caption?: string): Markup {
  const header = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((cells) =>
    element(
      "tr",
      {},
      ...cells.map((contents, column) => element("td", { "data-label": names[column]! }, ...contents)),
    ),
  );
  return element(
    "table",
    {},
    ...(caption === undefined ? [] : [element("caption", {}, caption)]),
    element("thead", {}, header),
    element("tbody", {}, ...body),
  );
}

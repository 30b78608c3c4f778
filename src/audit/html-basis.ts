// SPDX-License-Identifier: Apache-2.0
import type { Audit, AuditEntry, EmergencyState, Filed, Ground } from "./audit.js";
import { isEmergency } from "./grounds.js";
import type { HtmlWords } from "./html-words.js";
import type { LocalTime } from "./local-time.js";
import { element, type Content, type Markup } from "./markup.js";
import type { Messages } from "./messages.js";

export interface Wording {
  words: HtmlWords;
  messages: Messages;
  time: LocalTime;
}

/** On what an access or an emergency rests, in paragraphs. */
export function basisOf(entry: AuditEntry, audit: Audit, wording: Wording): Markup[] {
  if (isEmergency(entry)) {
    return groundOf(audit, entry.details.terms, (ground) => emergencyLines(ground, audit, wording));
  }
  if (entry.kind !== "access") return [];
  const { words, messages, time } = wording;
  const lines = groundOf(audit, entry.basisRef, (ground) => {
    if (entry.basis === "BREAK_GLASS") return emergencyLines(ground, audit, wording);
    const day = time.day(ground.at);
    const title = entry.basis === "LEGAL_ORDER" ? words.order(day) : words.consent(ground.givenBy, day);
    return [paragraph(title), ...personLines(ground, words)];
  });
  if (lines.length > 0) return lines;
  // Without its ground: the patient's own request, or events that the node hid.
  return [paragraph(messages.basis[entry.basis] ?? entry.basis)];
}

function groundOf(audit: Audit, ref: string | undefined, lines: (ground: Ground) => Markup[]): Markup[] {
  const ground = new Map(Object.entries(audit.grounds)).get(ref ?? "");
  return ground === undefined ? [] : lines(ground);
}

function personLines({ persons, document }: Ground, words: HtmlWords): Markup[] {
  return [
    ...(persons === undefined
      ? []
      : [paragraph(`${words.persons} `, code(persons[0]), ", ", code(persons[1]))]),
    ...(document === undefined ? [] : [paragraph(words.document(document))]),
  ];
}

function emergencyLines({ at, persons, emergency }: Ground, audit: Audit, wording: Wording): Markup[] {
  if (emergency === undefined) return [];
  const { words, time } = wording;
  return [
    element("p", { class: "alarm" }, (emergency.late ? words.late : words.emergency)(time.text(at))),
    ...(emergency.late === undefined
      ? []
      : [paragraph(`${words.released} ${emergency.late.released}, `, code(emergency.late.release))]),
    ...personLines({ at, ...(persons === undefined ? {} : { persons }) }, words),
    paragraph(`${words.reason}: `, ...statement(emergency.reason, audit, words)),
    ...accountLines(emergency, audit, wording),
  ];
}

function accountLines(
  { justified, reviewed, overdue }: EmergencyState,
  audit: Audit,
  { words, time }: Wording,
): Markup[] {
  const filed = (title: string, { officer, statement: digest }: Filed) =>
    paragraph(`${title}, ${words.persons} `, code(officer), ": ", ...statement(digest, audit, words));
  const missing = overdue ? `${words.notJustified}: ${words.overdue}` : words.notJustified;
  return [
    justified === undefined
      ? element("p", { class: "alarm" }, missing)
      : filed(words.justified(time.text(justified.at)), justified),
    reviewed === undefined
      ? element("p", { class: "alarm" }, words.notReviewed)
      : filed(
          words.reviewed(words.verdicts[reviewed.verdict] ?? reviewed.verdict, time.text(reviewed.at)),
          reviewed,
        ),
  ];
}

/** Its text where this member keeps it, else its digest. */
function statement(digest: string, audit: Audit, words: HtmlWords): Content[] {
  const text = new Map(Object.entries(audit.local?.statements ?? {})).get(digest);
  return text === undefined ? [`${words.offChain} `, code(digest)] : [text];
}

export function paragraph(...contents: readonly Content[]): Markup {
  return element("p", {}, ...contents);
}

export function code(text: string): Markup {
  return element("code", {}, text);
}

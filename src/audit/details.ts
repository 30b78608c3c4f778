// SPDX-License-Identifier: Apache-2.0
import { ACT_DETAILS } from "./acts.js";
import type { Accessed, Act, Audit, AuditEntry, GivenBy, GrantGiven, Lookup } from "./audit.js";
import { shortId } from "./columns.js";
import { isLastDay, isoDay, isoTime } from "./iso-time.js";
import type { Messages } from "./messages.js";
import { printable } from "../printable.js";
import type { Place } from "./place.js";

/** What an event says, in words. */
export function detailOf(entry: AuditEntry, audit: Audit, messages: Messages): string {
  switch (entry.kind) {
    case "enrolled":
      return entry.hasSigner ? messages.withSigner : messages.paper;
    case "grant-given":
      return grantDetail(entry, audit, messages);
    case "grant-revoked":
      return [...byWhom(entry.revokedBy, messages), messages.terms(shortId(entry.termsHash))].join(
        messages.comma,
      );
    case "directive-set": {
      const denials = [
        ...(entry.denyAll ? [messages.denyAll] : []),
        ...(entry.denyEmergency ? [messages.denyEmergency] : []),
        ...(entry.deniedCompartments.length === 0
          ? []
          : [messages.denied(compartmentList(entry.deniedCompartments, audit))]),
      ];
      const told = denials.length === 0 ? [messages.deniesNothing] : denials;
      return [...told, ...byWhom(entry.setBy, messages)].join(messages.comma);
    }
    case "access":
      return accessDetail(entry, audit, messages);
    case "amended":
      return messages.amended(recordName(entry.index, audit), entry.byIndex);
    case "retracted":
      return messages.retracted(recordName(entry.index, audit));
    case "other":
      return `${entry.contract} ${printable(shortId(entry.event))}`;
    default:
      return actDetail(entry, audit, messages);
  }
}

function actDetail({ details }: Act, audit: Audit, messages: Messages): string {
  return ACT_DETAILS.flatMap((name) => {
    const value = details[name];
    if (value === undefined) return [];
    const short = value.startsWith("0x") ? shortId(value) : printable(value);
    const told = name === "index" ? recordName(Number(value), audit) : short;
    return [messages.details[name](told)];
  }).join(messages.comma);
}

function grantDetail(entry: GrantGiven, audit: Audit, messages: Messages): string {
  const { notBefore, notAfter } = entry;
  return [
    entry.purposes.join("+"),
    `${isoTime(notBefore).slice(0, 10)}/${isoTime(notAfter).slice(0, 10)}`,
    compartments(entry.compartments, audit, messages),
    ...byWhom(entry.givenBy, messages),
    ...recordedPeriod(entry, messages),
    messages.terms(shortId(entry.termsHash)),
  ].join(messages.comma);
}

/** Who acted for the patient, if not he himself. */
function byWhom(givenBy: GivenBy, messages: Messages): string[] {
  return givenBy === "PATIENT" ? [] : [messages.givenBy[givenBy]];
}

function accessDetail(entry: Accessed, audit: Audit, messages: Messages): string {
  const { extent, indices, purpose, reader, basis } = entry;
  const basisText = messages.basis[basis];
  const isList = extent === "RECORDS" && indices.length > 1;
  return [
    ...(basisText === undefined ? [] : [basisText]),
    purpose,
    messages.by(shortId(reader)),
    isList ? messages.records(ranges(indices)) : whatOf(entry, audit, messages),
  ].join(messages.comma);
}

/** What was read: records by number and, where known, name; or an index or a chart with its extent. */
export function whatOf({ scope, extent, indices }: Accessed, audit: Audit, messages: Messages): string {
  if (extent === "RECORDS") {
    return messages.records(indices.map((index) => recordName(index, audit)).join(messages.comma));
  }
  return [
    messages[extent === "INDEX" ? "index" : "chart"],
    ...(scope === undefined
      ? []
      : [compartments(scope.compartments, audit, messages), ...recordedPeriod(scope, messages)]),
  ].join(messages.comma);
}

function compartments(numbers: readonly number[], audit: Audit, messages: Messages): string {
  if (numbers.length === 64) return messages.allCompartments;
  return numbers.length === 0
    ? messages.noCompartments
    : messages.compartments(compartmentList(numbers, audit));
}

function compartmentList(numbers: readonly number[], audit: Audit): string {
  const names = audit.local?.compartments ?? {};
  if (numbers.every((number) => names[number] === undefined)) return ranges(numbers);
  return numbers.map((number) => printable(names[number] ?? String(number))).join(" ");
}

function recordedPeriod(
  { recordedFrom, recordedTo }: { recordedFrom: number; recordedTo: number },
  messages: Messages,
): string[] {
  if (recordedFrom === 0 && isLastDay(recordedTo)) return [];
  return [messages.recorded(isoDay(recordedFrom), isoDay(recordedTo))];
}

function recordName(index: number, audit: Audit): string {
  const label = audit.local?.records[index];
  return label === undefined ? String(index) : `${index} (${printable(label)})`;
}

/** Rising numbers as 1-3,7. */
function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: [number, number][] = [];
  for (const number of sorted) {
    const last = parts.at(-1);
    if (last !== undefined && number <= last[1] + 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}

/** What a lookup says, in words. */
export function lookupDetail({ reader, lookupId }: Lookup, messages: Messages): string {
  return [messages.by(shortId(reader)), messages.lookup(shortId(lookupId))].join(messages.comma);
}

/** Why an event is to be doubted, in words, one reason each. @param name How an account is written */
export function suspicions(
  { suspects = [] }: Pick<Place, "suspects">,
  messages: Messages,
  name: (account: string) => string,
): string[] {
  return suspects.map((one) =>
    one.role === "MEMBER_KEY"
      ? messages.suspectKey(one.member, one.epoch, isoTime(one.since))
      : messages.suspect(messages.suspectRoles[one.role], name(one.account), isoTime(one.since)),
  );
}

/** A member by id and name. */
export function nameOf({ members }: Pick<Audit, "members">, memberId: number): string {
  return `${memberId} ${printable(members[memberId] ?? "")}`.trimEnd();
}

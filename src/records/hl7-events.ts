// SPDX-License-Identifier: Apache-2.0
import { identifiersOf, refsOf } from "./hl7-persons.js";
import type { Hl7Segment } from "./hl7-text.js";
import type { IdentityPair, ItemEvent, SourceItem } from "./item.js";

/** What a message says of other records or of who is who; see docs/sources.md. */
export type Hl7Event = Pick<SourceItem, "event" | "replaces" | "administrative">;

/** Merges of two identifier lists: A40, and how it was called before v2.3.1. */
const MERGES: readonly string[] = ["A40", "A18", "A34", "A36"];
/** Identifiers or accounts that were another person's, or are called otherwise now: nothing says which records. */
const MOVES: readonly string[] = ["A30", "A39", "A43", "A44", "A45", "A46", "A47", "A48"];
const LINK = "A24";
const UNLINK = "A37";

/** By what a document is known: the sending facility with TXA-12. */
export function documentKey(facility: string, number: string): string {
  return `${facility}/TXA-12/${number}`;
}

/** By what a message, and others about the same, are known. */
export interface Hl7Key {
  readonly sourceKey: string | undefined;
  /** It is known by a number that a later message about the same has, too. */
  readonly numbered: boolean;
  /** What the same message was known by before the order of its filler numbers ceased to count. */
  readonly formerKeys: readonly string[];
}

export function readHl7Event(segments: readonly Hl7Segment[], key: Hl7Key): Hl7Event {
  const header = segments[0]!;
  const type = header.text(9, 1).toUpperCase();
  const named = header.text(9, 2) || (segments.find(({ name }) => name === "EVN")?.text(1) ?? "");
  const trigger = named.toUpperCase();
  if (type === "ADT") return identityEvent(segments, trigger);
  if (type === "MDM") return documentEvent(segments, trigger);
  return type === "ORU" || type === "OUL" ? resultEvent(segments, key) : {};
}

/** Such a message names two people, so that it is in no one's chart. */
function identityEvent(segments: readonly Hl7Segment[], trigger: string): Hl7Event {
  const event = identityOf(segments, trigger);
  return event === undefined ? {} : { event, administrative: true };
}

function identityOf(segments: readonly Hl7Segment[], trigger: string): ItemEvent | undefined {
  if (MERGES.includes(trigger)) return { kind: "merge", pairs: mergedPairs(segments) };
  if (MOVES.includes(trigger)) return { kind: "ask" };
  if (trigger !== LINK && trigger !== UNLINK) return undefined;
  const facility = segments[0]!.text(4);
  const [into, from] = segments
    .filter(({ name }) => name === "PID")
    .map((pid) => identifiersOf(pid, facility));
  if (into === undefined || from === undefined) return { kind: "ask" };
  return { kind: trigger === LINK ? "merge" : "unlink", pairs: [{ from, into }] };
}

/** ADT_A39: each PID with the MRG that follows it. MRG-1 is what is retired. */
function mergedPairs(segments: readonly Hl7Segment[]): IdentityPair[] {
  const facility = segments[0]!.text(4);
  const pairs: IdentityPair[] = [];
  let pid: Hl7Segment | undefined;
  for (const segment of segments) {
    if (segment.name === "PID") pid = segment;
    if (segment.name === "MRG" && pid !== undefined)
      pairs.push({ from: refsOf(segment.values(1), facility), into: identifiersOf(pid, facility) });
  }
  return pairs;
}

/** T09 and T10 take the place of the document of TXA-13; T11 cancels that of TXA-12. */
function documentEvent(segments: readonly Hl7Segment[], trigger: string): Hl7Event {
  const document = segments.find(({ name }) => name === "TXA");
  if (trigger === "T11") {
    const numbered = (document?.raw(12) ?? "") !== "";
    return { event: numbered ? { kind: "withdraw", itself: true } : { kind: "ask" } };
  }
  if (trigger !== "T09" && trigger !== "T10") return {};
  const parent = document?.raw(13) ?? "";
  return parent === "" ? {} : { replaces: [documentKey(segments[0]!.raw(4), parent)] };
}

/**
 * OBX-11 (table 0085): D deletes a result, W says that it was wrong, for instance another patient's. When all are, the
 * report is; a single W is enough to take back what was reported before, for it may be somebody else's.
 */
function resultEvent(segments: readonly Hl7Segment[], { numbered, formerKeys }: Hl7Key): Hl7Event {
  const statuses = segments
    .filter(({ name }) => name === "OBX")
    .map((result) => result.text(11).toUpperCase());
  const all = statuses.length > 0 && statuses.every((status) => status === "D" || status === "W");
  if (!all && !statuses.includes("W")) return {};
  if (!numbered) return { event: { kind: "ask" } };
  const former = formerKeys.length === 0 ? {} : { formerKeys };
  return { event: { kind: "withdraw", itself: all, ...former } };
}

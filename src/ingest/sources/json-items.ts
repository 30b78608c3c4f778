// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { readFhir } from "../../records/index.js";
import type { BadItem, FhirBundle, FhirFacts, JsonOrigin, SourceItem } from "../../records/index.js";
import { readContent, sliceContent } from "./content.js";
import type { Content, FilePart } from "./content.js";
import { badItem } from "./source.js";

/** Entries without a resource that are told one by one: they are cheap to send, and each is answered. */
const MOST_WITHOUT_RESOURCE = 10_000;

/** Where a JSON text came from. */
export interface JsonPlace {
  readonly path: string;
  /** `path`, or `path#line 7`. */
  readonly label: string;
  /** On disk, so that a large text need not be held. */
  readonly part?: FilePart | undefined;
  readonly origin?: JsonOrigin | undefined;
  /** Somebody waits for an answer to each entry of a Bundle: one without a resource is a bad item, too. */
  readonly everyEntry?: boolean | undefined;
}

/** The items of one JSON text, whose bytes the caller gives away: itself, or with `split` the entries of a Bundle. Bad JSON is one bad item. */
export function* jsonItems(
  bytes: Uint8Array,
  place: JsonPlace,
  split: boolean,
): Generator<SourceItem | BadItem> {
  try {
    const text = readFhir(bytes, place.origin);
    if (text.kind === "bundle" && split) {
      yield* entryItems(text.bundle, place);
      return;
    }
    const content = readContent(bytes, place.part);
    const facts =
      text.kind === "json" ? undefined : text.kind === "bundle" ? text.bundle.facts() : text.facts;
    yield jsonItem(facts, content, place, undefined);
  } catch (error) {
    yield badItem(place.label, error);
  }
}

/** In the order of the entries. @throws ERR_ITEM_INVALID for a Bundle of mostly nothing */
function* entryItems(bundle: FhirBundle, place: JsonPlace): Generator<SourceItem | BadItem> {
  const missing = place.everyEntry === true ? bundle.withoutResource : [];
  if (missing.length > MOST_WITHOUT_RESOURCE) {
    throw withoutResource(`more than ${MOST_WITHOUT_RESOURCE} entries hold`, MOST_WITHOUT_RESOURCE);
  }
  const all = [...bundle.entries, ...missing.map((number) => ({ number, start: undefined }))];
  for (const entry of all.toSorted((a, b) => a.number - b.number)) {
    const label = `${place.label}#entry ${entry.number}`;
    try {
      if (entry.start === undefined) throw withoutResource("the entry holds");
      const part = partOf(place.part, entry.start, entry.end);
      const content = sliceContent(bundle.slice(entry), part);
      yield jsonItem(bundle.read(entry), content, { ...place, label }, entry.fullUrl);
    } catch (error) {
      yield badItem(label, error);
    }
  }
}

function withoutResource(what: string, limit?: number): ChartsealError {
  return new ChartsealError(
    "ERR_ITEM_INVALID",
    `${what} no resource: this listener stores resources, it deletes nothing and reads nothing`,
    {
      ...(limit === undefined ? {} : { values: { limit } }),
      hint: "send the resources alone; what was deleted at its source is retracted with `chartseal retract`",
    },
  );
}

/**
 * A resource is known by its type and id. One without an id is known by its fullUrl, which moves with it when
 * a Bundle is written anew, else by its place.
 */
function jsonItem(
  facts: FhirFacts | undefined,
  content: Content,
  place: JsonPlace,
  fullUrl: string | undefined,
): SourceItem {
  const { path, label } = place;
  if (facts === undefined) {
    return {
      sourceKey: fullUrl ?? label,
      label,
      path,
      mediaType: "application/json",
      ...content,
      subjects: [],
    };
  }
  const { resourceType, id, recordedAt, author, subjects } = facts;
  return {
    sourceKey: id === undefined ? (fullUrl ?? label) : `${resourceType}/${id}`,
    label,
    path,
    mediaType: "application/fhir+json",
    resourceType,
    ...(author === undefined ? {} : { author }),
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...content,
    subjects,
  };
}

function partOf(part: FilePart | undefined, start: number, end: number): FilePart | undefined {
  if (part === undefined) return undefined;
  const from = part.start ?? 0;
  return { file: part.file, start: from + start, end: from + end };
}

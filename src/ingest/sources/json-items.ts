// SPDX-License-Identifier: Apache-2.0
import { readFhir } from "../../records/index.js";
import type { BadItem, FhirFacts, JsonOrigin, SourceItem } from "../../records/index.js";
import { readContent, sliceContent } from "./content.js";
import type { Content, FilePart } from "./content.js";
import { badItem } from "./source.js";

/** Where a JSON text came from. */
export interface JsonPlace {
  readonly path: string;
  /** `path`, or `path#line 7`. */
  readonly label: string;
  /** On disk, so that a large text need not be held. */
  readonly part?: FilePart | undefined;
  readonly origin?: JsonOrigin | undefined;
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
      for (const entry of text.bundle.entries) {
        const label = `${place.label}#entry ${entry.number}`;
        const part = partOf(place.part, entry.start, entry.end);
        try {
          const content = sliceContent(text.bundle.slice(entry), part);
          yield jsonItem(text.bundle.read(entry), content, { ...place, label }, entry.fullUrl);
        } catch (error) {
          yield badItem(label, error);
        }
      }
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

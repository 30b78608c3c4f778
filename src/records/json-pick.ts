// SPDX-License-Identifier: Apache-2.0

/**
 * Which fields a scan keeps: `"text"` keeps a string, a map keeps an object's listed properties, both through
 * arrays. Whatever is not listed is checked and forgotten, so memory follows what is asked for, not the input.
 */
export type JsonShape = "text" | ReadonlyMap<string, JsonShape>;

/** What a scan kept of a value. An array stays an array, with `undefined` where an element did not fit. */
export type JsonPick = string | JsonObjectPick | readonly JsonPick[] | undefined;

/** A kept object: its bytes are `[start, end)` of the scanned bytes. */
export interface JsonObjectPick {
  readonly start: number;
  readonly end: number;
  readonly fields: JsonField | undefined;
}

/**
 * A kept field and the one kept before it. A chain, because most objects keep one field or two and a large
 * Bundle has hundreds of thousands of objects: a map or an array for each would outweigh the text.
 */
export interface JsonField {
  readonly name: string;
  readonly value: JsonPick;
  readonly previous: JsonField | undefined;
}

export function isObjectPick(pick: JsonPick): pick is JsonObjectPick {
  return typeof pick === "object" && !Array.isArray(pick);
}

/** The value kept of one field. */
export function fieldOf(pick: JsonObjectPick, name: string): JsonPick {
  for (let field = pick.fields; field !== undefined; field = field.previous) {
    if (field.name === name) return field.value;
  }
  return undefined;
}

/** Every element at a dotted path, through arrays, in document order. */
export function picksAt(pick: JsonPick, path: string): (string | JsonObjectPick)[] {
  const found: (string | JsonObjectPick)[] = [];
  collect(pick, segmentsOf(path), 0, found);
  return found;
}

/** The first string at a dotted path. */
export function textAt(pick: JsonPick, path: string): string | undefined {
  return firstText(pick, segmentsOf(path), 0);
}

/** Paths come from a few tables, and each is asked of every record. */
const splitPaths = new Map<string, readonly string[]>();

function segmentsOf(path: string): readonly string[] {
  const known = splitPaths.get(path);
  if (known !== undefined) return known;
  const segments = path.split(".");
  splitPaths.set(path, segments);
  return segments;
}

function collect(
  pick: JsonPick,
  segments: readonly string[],
  depth: number,
  found: (string | JsonObjectPick)[],
): void {
  if (pick === undefined) return;
  if (typeof pick !== "string" && !isObjectPick(pick)) {
    for (const element of pick) collect(element, segments, depth, found);
    return;
  }
  const segment = segments[depth];
  if (segment === undefined) found.push(pick);
  else if (typeof pick !== "string") collect(fieldOf(pick, segment), segments, depth + 1, found);
}

function firstText(pick: JsonPick, segments: readonly string[], depth: number): string | undefined {
  if (pick === undefined) return undefined;
  if (typeof pick !== "string" && !isObjectPick(pick)) {
    for (const element of pick) {
      const text = firstText(element, segments, depth);
      if (text !== undefined) return text;
    }
    return undefined;
  }
  const segment = segments[depth];
  if (segment === undefined) return typeof pick === "string" ? pick : undefined;
  return typeof pick === "string" ? undefined : firstText(fieldOf(pick, segment), segments, depth + 1);
}

// SPDX-License-Identifier: Apache-2.0
import { basename } from "node:path";
import { copyOf } from "./content.js";
import { fileItems } from "./file-items.js";
import { jsonItems } from "./json-items.js";
import { resolved, sizeOf, sourceOf } from "./source.js";
import type { Source, SourceOptions } from "./source.js";

export interface FileOptions extends SourceOptions {
  /** Labels the items; for a file its base name unless given. */
  readonly name?: string | undefined;
}

/**
 * A FHIR Bundle (http://hl7.org/fhir/R4/bundle.html), or any one JSON resource.
 *
 * Whole: one item of the file's exact bytes, naming all persons of all entries. With `split`: one item per
 * entry that has a resource, the exact bytes of `entry[i].resource`; a Bundle inside stays one item. What the
 * Bundle says of its entries (request, search, signature) is then left behind: keep documents and signed
 * Bundles whole.
 *
 * @param input a file path, or the bytes
 */
export function bundleSource(input: string | Uint8Array, options: FileOptions = {}): Source {
  const split = options.split === true;
  if (typeof input === "string") return fileSource(input, options);
  const bytes = copyOf(input);
  const path = (options.name ?? "bundle").normalize("NFC");
  return sourceOf(async function* (progress) {
    progress.bytesRead = bytes.length;
    yield* jsonItems(bytes, { path, label: path }, split);
  }, bytes.length);
}

/** One file of any kind, told by its name, then by its content. */
export function fileSource(file: string, options: FileOptions = {}): Source {
  const path = (options.name ?? basename(file)).normalize("NFC");
  return sourceOf((progress) => {
    return resolved(file, path, (real) => fileItems(real, path, options.split === true, progress));
  }, sizeOf(file));
}

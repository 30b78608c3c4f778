// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../../errors.js";
import { scanJson, type SourceItem } from "../../records/index.js";
import { memoryContent } from "./content.js";
import { linesOfFile } from "./ndjson.js";
import { badItem } from "./source.js";
import type { Items, Progress } from "./source.js";

/** `[base/]Type/id` of one resource; no criteria and no version. */
const DELETED = /^(?:https?:\/\/.+\/)?([A-Z][A-Za-z]{0,63}\/[^\s/?#|\p{C}]{1,256})$/u;
/** OperationOutcome.issue.severity of what went wrong. */
const FAULTS: readonly unknown[] = ["fatal", "error", "warning"];

interface Bundle {
  resourceType?: unknown;
  entry?: readonly { request?: { method?: unknown; url?: unknown } | null }[] | null;
}

/**
 * A `deleted` file of an export: each line a transaction Bundle of DELETE requests. It is the custodian's own record,
 * and takes back what it names. One that asks for anything else is refused whole.
 */
export async function* deletionItems(
  { file, path, transactionTime }: { file: string; path: string; transactionTime: string },
  progress: Progress,
): Items {
  try {
    for await (const { number, bytes } of linesOfFile(file, progress)) {
      const label = `${path}#line ${number}`;
      try {
        if (bytes === undefined) throw notDeletions();
        yield deletionItem(bytes, { label, path, transactionTime });
      } catch (error) {
        yield badItem(label, error);
      }
    }
  } catch (error) {
    yield badItem(path, error);
  }
}

function deletionItem(
  bytes: Uint8Array,
  { label, path, transactionTime }: { label: string; path: string; transactionTime: string },
): SourceItem {
  return {
    // Not the Bundle's id, which servers repeat from export to export.
    sourceKey: `deleted/${transactionTime}/${label}`,
    ...{ label, path, mediaType: "application/fhir+json", resourceType: "Bundle", subjects: [] },
    ...memoryContent(bytes),
    administrative: true,
    event: { kind: "delete", keys: deletedKeys(bytes) },
  };
}

/** @throws ERR_ITEM_INVALID, ERR_JSON_INVALID */
export function deletedKeys(bytes: Uint8Array): string[] {
  scanJson(bytes);
  const bundle = JSON.parse(new TextDecoder().decode(bytes)) as Bundle | null;
  const entries = bundle?.entry;
  if (bundle?.resourceType !== "Bundle" || !Array.isArray(entries)) throw notDeletions();
  return entries.map((entry: NonNullable<Bundle["entry"]>[number] | null) => {
    const { method, url } = entry?.request ?? {};
    const key = method === "DELETE" && typeof url === "string" ? DELETED.exec(url)?.[1] : undefined;
    if (key === undefined) throw notDeletions();
    return key;
  });
}

function notDeletions(): ChartsealError {
  return new ChartsealError(
    "ERR_ITEM_INVALID",
    "the line is no Bundle of DELETE requests, each of one resource",
    {
      hint: "retract what it deletes one by one: `chartseal retract`",
    },
  );
}

/** An `error` file of an export: OperationOutcomes about what the server left out. They are counted, and no records. */
export async function* reportedErrors(file: string, path: string, progress: Progress): Items {
  let faults = 0;
  try {
    for await (const { bytes } of linesOfFile(file, progress))
      if (bytes === undefined || isFault(bytes)) faults++;
  } catch (error) {
    yield badItem(path, error);
    return;
  }
  if (faults === 0) return;
  // Their text may name patients.
  yield {
    label: path,
    error: new ChartsealError("ERR_ITEM_INVALID", `the server reports ${faults} errors of its export`, {
      values: { errors: faults },
      hint: "read the file: what they concern may be missing in the export",
    }),
  };
}

interface Outcome {
  issue?: readonly ({ severity?: unknown } | null)[];
}

/** Anything but an OperationOutcome that only informs. */
function isFault(line: Uint8Array): boolean {
  try {
    scanJson(line);
    const outcome = JSON.parse(new TextDecoder().decode(line)) as Outcome | null;
    return outcome?.issue?.some((issue) => FAULTS.includes(issue?.severity)) ?? true;
  } catch (error) {
    // An `issue` that is no list is a TypeError.
    if (error instanceof ChartsealError || error instanceof TypeError) return true;
    throw error;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { z } from "zod";
import { ChartsealError, requireFormat } from "../errors.js";
import { ADMINISTRATIVE_TYPES } from "./administrative-types.js";
import { FHIR_PATIENT } from "./item.js";
import type { PatientRef, SourceItem } from "./item.js";
import { scanJson } from "./json-scan.js";

/** When every condition given holds, the item belongs to `patient`. */
export interface PatientRule {
  /** Glob over the item's path, as of `path.matchesGlob`: `ward-3/**`. */
  readonly path?: string | undefined;
  /** The item names one person only, and by this reference: `Patient/x`, `urn:uuid:...` or an absolute URL. */
  readonly reference?: string | undefined;
  readonly resourceType?: string | undefined;
  readonly patient: PatientRef | "administrative";
}

/** A rule file, format 1. */
export interface PatientRules {
  readonly rules: readonly PatientRule[];
  /** Resource types that are nobody's record when they name no one. */
  readonly administrative: readonly string[];
  /**
   * Base URLs (`https://fhir.hospital.example/r4`) of the hospital's own FHIR servers: an absolute reference
   * below one of them means the same patient as the relative one. Any other stays a person of its own.
   */
  readonly bases: readonly string[];
}

/** Without a rule file: subjects are looked up, administrative types are told by {@link ADMINISTRATIVE_TYPES}. */
export const DEFAULT_RULES: PatientRules = { rules: [], administrative: ADMINISTRATIVE_TYPES, bases: [] };

/** Whose record an item is. `unknown` items wait until their patient is enrolled or a rule names him. */
export type Resolution =
  { readonly patientId: string } | { readonly administrative: true } | { readonly unknown: true };

const UNKNOWN: Resolution = { unknown: true };

const typeName = z
  .string('a FHIR resource type such as "Observation"')
  .regex(/^[A-Z][A-Za-z]{0,63}$/, 'a FHIR resource type such as "Observation"');
const REFERENCE = /^(Patient\/[^/?#|]+|urn:(uuid|oid):\S+|https?:\/\/\S+\/Patient\/[^/?#|]+)$/;
const REFERENCE_ALLOWED = '"Patient/<id>", "urn:uuid:<uuid>" or an absolute URL ending in /Patient/<id>';

const patientSchema = z.union(
  [
    z.literal("administrative"),
    z.strictObject({ system: z.string().max(1024), value: z.string().min(1).max(1024) }),
  ],
  '"administrative" or {"system": string, "value": string that is not empty}',
);

const ruleSchema = z
  .strictObject(
    {
      path: z.string("a glob").min(1, "a glob that is not empty").optional(),
      reference: z.string(REFERENCE_ALLOWED).regex(REFERENCE, REFERENCE_ALLOWED).optional(),
      resourceType: typeName.optional(),
      patient: patientSchema,
    },
    { error: onlyKeys("path, reference, resourceType, patient") },
  )
  .refine(
    (rule) => rule.path !== undefined || rule.reference !== undefined || rule.resourceType !== undefined,
    {
      error: 'at least one of path, reference, resourceType (a rule for everything says "path": "**")',
    },
  );

const fileSchema = z.strictObject(
  {
    format: z.literal(1, "1"),
    rules: z.array(ruleSchema, "a list of rules"),
    administrative: z.array(typeName, "a list of FHIR resource types").optional(),
    bases: z
      .array(z.url({ protocol: /^https?$/, error: "an http(s) URL" }), "a list of base URLs")
      .optional(),
  },
  { error: onlyKeys("format, rules, administrative, bases") },
);

function onlyKeys(keys: string) {
  return (issue: { readonly code?: string }) =>
    issue.code === "unrecognized_keys" ? `no other keys than ${keys}` : `an object with ${keys}`;
}

/**
 * Reads a rule file.
 *
 * @throws ERR_CONFIG_INVALID names the JSON path and what is allowed there; ERR_FORMAT_UNSUPPORTED
 */
export async function loadRules(path: string): Promise<PatientRules> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ChartsealError("ERR_CONFIG_INVALID", `the rule file ${path} cannot be read`, {
      values: { path },
      hint: "give the path of an existing JSON file",
      cause,
    });
  }
  return parseRules(bytes);
}

/** As {@link loadRules}, from bytes. */
export function parseRules(bytes: Uint8Array): PatientRules {
  let value: unknown;
  try {
    scanJson(bytes);
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    const detail = cause instanceof ChartsealError ? cause.message : "not valid JSON";
    throw new ChartsealError("ERR_CONFIG_INVALID", `the rule file is ${detail}`, { cause });
  }
  requireFormat(value, "the rule file");
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) throw invalidRules(parsed.error.issues[0]);
  const { rules, administrative, bases } = parsed.data;
  return {
    rules,
    administrative: administrative ?? ADMINISTRATIVE_TYPES,
    bases: (bases ?? []).map((base) => base.replace(/\/+$/, "")),
  };
}

/** The offending value may be a patient's identifier: only the place and what is allowed are told. */
function invalidRules(issue: z.core.$ZodIssue | undefined): ChartsealError {
  const place = (issue?.path ?? [])
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("");
  const allowed = issue?.message ?? "a rule file of format 1";
  return new ChartsealError(
    "ERR_CONFIG_INVALID",
    `the rule file is wrong at $${place}: allowed is ${allowed}`,
    {
      values: { jsonPath: `$${place}` },
      hint: `correct $${place} in the rule file`,
    },
  );
}

/**
 * Decides whose record an item is: the first rule that matches, else the persons it names, else its type.
 *
 * An item belongs to a patient only if *everybody* it names is that patient; one unknown person makes it wait.
 * `lookup` gives the patientId of an enrolled identifier.
 *
 * @returns the resolution, or ERR_PATIENT_AMBIGUOUS as a value (it holds no identifier)
 */
export function resolveSubject(
  item: Pick<SourceItem, "path" | "resourceType" | "subjects" | "administrative">,
  rules: PatientRules,
  lookup: (ref: PatientRef) => string | undefined,
): Resolution | ChartsealError {
  const persons = item.subjects.map((refs) => withLocalIds(refs, rules.bases));
  const rule = rules.rules.find((candidate) => matches(candidate, item, persons));
  if (rule !== undefined) {
    if (rule.patient === "administrative") return { administrative: true };
    const patientId = lookup(rule.patient);
    return patientId === undefined ? UNKNOWN : { patientId };
  }
  if (persons.length === 0) {
    const { resourceType } = item;
    const byType = resourceType !== undefined && rules.administrative.includes(resourceType);
    return byType || item.administrative === true ? { administrative: true } : UNKNOWN;
  }
  const found = persons.map((refs) => refs.map(lookup).filter((patientId) => patientId !== undefined));
  const all = new Set(found.flat());
  if (all.size > 1) return ambiguous(all.size);
  const [patientId] = all;
  return patientId === undefined || found.some((ids) => ids.length === 0) ? UNKNOWN : { patientId };
}

/** Adds the bare id to an absolute reference to one of the hospital's own servers. */
function withLocalIds(refs: readonly PatientRef[], bases: readonly string[]): readonly PatientRef[] {
  return refs.flatMap((ref) => {
    const base = bases.find(
      (known) => ref.system === FHIR_PATIENT && ref.value.startsWith(`${known}/Patient/`),
    );
    if (base === undefined) return [ref];
    return [ref, { system: FHIR_PATIENT, value: ref.value.slice(`${base}/Patient/`.length) }];
  });
}

function matches(
  rule: PatientRule,
  item: Pick<SourceItem, "path" | "resourceType">,
  persons: readonly (readonly PatientRef[])[],
): boolean {
  if (rule.path !== undefined && !posix.matchesGlob(item.path, rule.path.normalize("NFC"))) return false;
  if (rule.resourceType !== undefined && rule.resourceType !== item.resourceType) return false;
  if (rule.reference === undefined) return true;
  const value = rule.reference.replace(/^Patient\//, "");
  const [only, ...others] = persons;
  // With a second person in the item the reference alone does not say whose it is.
  if (only === undefined || others.length > 0) return false;
  return only.some((ref) => ref.system === FHIR_PATIENT && ref.value === value);
}

function ambiguous(persons: number): ChartsealError {
  return new ChartsealError(
    "ERR_PATIENT_AMBIGUOUS",
    `the item names ${persons} different enrolled patients`,
    {
      values: { patients: persons },
      hint: "split a Bundle into its entries, or write a rule for the item's path",
    },
  );
}

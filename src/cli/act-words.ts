// SPDX-License-Identifier: Apache-2.0
import { papersOf, type Act, type ActFile, type Paper } from "../acts/index.js";
import { ALL_COMPARTMENTS, type Deployment } from "../chain/index.js";
import { PURPOSES, passkeyChallenge, type Terms } from "../consent/index.js";
import { toHex, type Hex } from "../crypto/index.js";
import { dayOfNumber } from "./arguments.js";

const WHAT: Readonly<Record<Act["kind"], string>> = {
  enrolment: "enrol a patient",
  grant: "let a member read",
  revocation: "end a grant, for good",
  directive: "replace the patient's directive",
  rotation: "give the patient another key",
  guardians: "replace the patient's guardians",
  delegation: "let a delegate give and end grants, until a moment",
  change: "propose a change, which waits and can be refused",
  refusal: "refuse the change that waits",
  "witnessed-grant": "witness on paper: let a member read",
  "witnessed-revocation": "witness on paper: end a grant, for good",
  "witnessed-denial": "witness on paper: deny",
  order: "enter a legal order: let a member read, whatever the patient denied",
  "order-lift": "end a legal order",
  emergency: "open a window on a patient's records without his consent",
  "emergency-release": "read a patient's records without his consent, while the chain is down",
  "own-request": "request the patient's own records, for himself",
};
const BY_ROLE: Readonly<Partial<Record<string, string>>> = {
  reviewer: "a REVIEWER of another member",
  colleague: "another CLINICIAN, with a key of his own",
  witness: "another person of the custodian's staff",
};
const LAST_DAY = 0xffff_ffff;
const EVERYTHING = String(ALL_COMPARTMENTS);

/** An act for people and for programs: what it does, in its own words, and who has signed and who has yet to. */
export function actRows(file: ActFile, deployment: Deployment): { json: object; text: string } {
  const papers = papersOf(file, deployment).map((paper) => stateOf(file, paper));
  const ready = papers.every(({ signed, threshold }) => signed.length >= threshold);
  const { act, authority } = file;
  const rows = [["act", WHAT[act.kind]], ...termsRows(act), ...fieldRows(act)];
  const width = Math.max(...rows.map(([name]) => name!.length));
  const text = [
    ...rows.map(([name, value]) => `${name!.padEnd(width)}  ${value!}`),
    "",
    ...papers.flatMap((paper) => paperLines(paper, file)),
    ready ? "All have signed: `chartseal act relay` sends it." : "Not all have signed yet.",
  ].join("\n");
  return { json: { act, authority, ready, papers }, text };
}

interface PaperState {
  struct: string;
  for: Paper["for"];
  threshold: number;
  /** Empty: whoever holds the role. */
  keys: readonly Hex[];
  signed: Hex[];
  /** What a passkey signs: 32 bytes. */
  challenge: Hex;
  typedData: Paper["typedData"];
}

function stateOf({ signatures }: ActFile, paper: Paper): PaperState {
  const { struct, threshold, keys, typedData } = paper;
  const signed = signatures
    .filter((one) => one.struct === struct && (keys.length === 0 || keys.includes(one.key)))
    .map(({ key }) => key);
  const challenge = toHex(passkeyChallenge(typedData));
  return { struct, for: paper.for, threshold, keys, signed, challenge, typedData };
}

function paperLines({ for: purpose, threshold, keys, signed }: PaperState, { authority }: ActFile): string[] {
  const who = keys.length === 0 ? signed : keys;
  const heading =
    purpose === "possession"
      ? "Its holder shows that he has the new key:"
      : keys.length === 0
        ? `To be signed by ${BY_ROLE[authority] ?? authority}:`
        : `To be signed by ${threshold} of ${keys.length} (${authority}):`;
  return [heading, ...who.map((key) => `  ${signed.includes(key) ? "signed" : "      "}  ${key}`)];
}

function termsRows(act: Act): string[][] {
  if (!("terms" in act)) return [["patient", act.patientId]];
  const { terms } = act;
  return [
    ["patient", terms.patientId],
    ["reader", `member ${terms.grantee}`],
    ["purposes", PURPOSES.filter((_, number) => (terms.purposes & (1 << number)) !== 0).join(" ")],
    ["period", `${timeOf(terms.notBefore)} to ${timeOf(terms.notAfter)}`],
    ["compartments", terms.compartments === EVERYTHING ? "all" : compartmentsOf(terms.compartments)],
    ["recorded", recordedOf(terms)],
  ];
}

/** Each field of an act that says something by itself. */
function fieldRows(act: Act): string[][] {
  const fields: Record<string, unknown> = act;
  return Object.entries(fields).flatMap(([name, value]) => {
    const words = FIELDS.get(name)?.(value as never);
    return words === undefined || words === "" ? [] : [[name, words]];
  });
}

const FIELDS = new Map<string, (value: never) => string>([
  ["termsHash", (value: string) => value],
  ["key", (value: string | null) => value ?? ""],
  ["change", (value: string) => value],
  ["changeHash", (value: string) => value],
  ["readyAt", (value: number) => timeOf(value)],
  ["until", (value: number) => (value === 0 ? "ends now" : timeOf(value))],
  ["guardians", (value: string[]) => (value.length === 0 ? "" : value.join(" "))],
  ["keys", (value: string[]) => value.join(" ")],
  ["threshold", (value: number) => (value === 0 ? "" : `${value} must sign`)],
  ["denyAll", (value: boolean) => (value ? "yes: nobody may read" : "no")],
  ["denyEmergency", (value: boolean) => (value ? "yes: no break-glass" : "no")],
  ["compartments", (value: string) => (value === EVERYTHING ? "all" : compartmentsOf(value))],
  ["recordedFrom", (value: number) => dayOfNumber(value)],
  ["recordedTo", (value: number) => lastDayOf(value)],
  ["deniedCompartments", (value: string) => (value === "0" ? "none" : compartmentsOf(value))],
  ["document", (value: string | object) => (typeof value === "string" ? value : "")],
  ["first", (value: string) => value],
  ["initiator", (value: string) => value],
  ["colleague", (value: string) => value],
  ["reasonDigest", (value: string) => value],
  ["deadline", (value: number) => timeOf(value)],
]);

function compartmentsOf(bitmap: string): string {
  const bits = BigInt(bitmap);
  return Array.from({ length: 64 }, (_, number) => number)
    .filter((number) => (bits & (1n << BigInt(number))) !== 0n)
    .join(" ");
}

function recordedOf({ recordedFrom, recordedTo }: Terms): string {
  const to = lastDayOf(recordedTo);
  return recordedFrom === 0 && recordedTo === LAST_DAY
    ? "at any time"
    : `${dayOfNumber(recordedFrom)} to ${to}`;
}

function lastDayOf(day: number): string {
  return day === LAST_DAY ? "ever" : dayOfNumber(day);
}

/** Unix seconds; a time that no calendar has stands as the number. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

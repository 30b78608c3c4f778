// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { ErrorCode } from "../errors.js";
import type { Hl7Header } from "../records/index.js";

/** What became of a message: taken, cannot be taken as it is, cannot be taken now. */
export type Verdict = { readonly code: "A" } | { readonly code: "E" | "R"; readonly error: ErrorCode };

/** HL7 v2 table 0357. */
const MEANINGS: ReadonlyMap<ErrorCode, readonly [number, string]> = new Map([
  ["ERR_ITEM_INVALID", [100, "Segment sequence error"]],
  ["ERR_MESSAGE_ID_REUSED", [205, "Duplicate key identifier"]],
  ["ERR_JOURNAL_LOCKED", [206, "Application record locked"]],
]);
const INTERNAL = [207, "Application internal error"] as const;

/** What the sender's people are told. Fixed texts: nothing of a message, no path of this machine. */
const REASONS: ReadonlyMap<ErrorCode, string> = new Map([
  ["ERR_ITEM_INVALID", "not a message that can be stored: it begins with no MSH segment or is too large"],
  ["ERR_MESSAGE_ID_REUSED", "MSH-10 came before with other bytes: number each message anew"],
  ["ERR_STORE_FULL", "no space left: send it again later"],
  ["ERR_BUSY", "too much at a time: send it again later"],
]);
const LATER = "cannot be taken now: send it again later";

/** Letters of the version in which ERR got its present fields (HL7 v2.5). */
const FIRST_WITH_NEW_ERR = 5;
/** As a sender without a header is answered. */
const NOBODY = {
  separator: "|",
  component: "^",
  field: (number: number) => (number === 2 ? "^~\\&" : ""),
  part: () => "",
};

type Sender = Pick<Hl7Header, "separator" | "component" | "field" | "part">;

/**
 * The answers to a message, none to two, each the bytes of a message: in original mode AA, AE or AR; in enhanced mode
 * (MSH-15 or MSH-16 is valued) the accept acknowledgement CA, CE or CR and the application's, as the sender wants them
 * (HL7 v2.9.1, 2.9.2 and 2.9.3). In the sender's delimiters, version and encoding.
 */
export function acknowledge(header: Hl7Header | undefined, verdict: Verdict): Uint8Array[] {
  const sender: Sender = header ?? NOBODY;
  return codesFor(sender, verdict).map((code) => messageOf(sender, code, verdict));
}

function codesFor(sender: Sender, { code }: Verdict): string[] {
  const [accept, application] = [sender.part(15).toUpperCase(), sender.part(16).toUpperCase()];
  if (accept === "" && application === "") return [`A${code}`];
  const codes = wants(accept, code) ? [`C${code}`] : [];
  // What was not accepted is not processed: one refusal is enough.
  if (wants(application, code) && (code === "A" || codes.length === 0)) codes.push(`A${code}`);
  return codes;
}

/** HL7 v2 table 0155. What nobody knows is answered. */
function wants(condition: string, code: Verdict["code"]): boolean {
  if (condition === "" || condition === "NE") return false;
  if (condition === "ER") return code !== "A";
  return condition !== "SU" || code === "A";
}

function messageOf(sender: Sender, code: string, verdict: Verdict): Uint8Array {
  const echo = (number: number) => printableField(sender.field(number));
  const version = /^2\.(\d+)/.exec(sender.part(12))?.[1];
  const minor = version === undefined ? FIRST_WITH_NEW_ERR : Number(version);
  const header = [
    ...["MSH", sender.field(2), echo(5), echo(6), echo(3), echo(4), timestamp(), ""],
    ...[typeOf(sender, minor), randomBytes(10).toString("hex"), echo(11) || "P", echo(12) || "2.5"],
  ];
  const encoding = echo(18);
  if (encoding !== "") header.push("", "", "", "", "", encoding);
  const segments = [header, ["MSA", code, echo(10)]];
  if (verdict.code !== "A") {
    segments[1]!.push(verdict.error);
    segments.push(errorSegment(sender, minor, verdict.error));
  }
  const text = segments.map((fields) => `${fields.join(sender.separator)}\r`).join("");
  return Buffer.from(text, "latin1");
}

function typeOf(sender: Sender, minor: number): string {
  const trigger = printableField(sender.part(9, 2));
  const parts = trigger === "" ? ["ACK"] : ["ACK", trigger, ...(minor < 4 ? [] : ["ACK"])];
  return parts.join(sender.component);
}

function errorSegment(sender: Sender, minor: number, error: ErrorCode): string[] {
  const [number, meaning] = MEANINGS.get(error) ?? INTERNAL;
  const place = error === "ERR_MESSAGE_ID_REUSED" ? ["MSH", "1", "10"] : ["MSH", "1"];
  const { component } = sender;
  if (minor < FIRST_WITH_NEW_ERR) {
    const sub = sender.field(2)[3] ?? "&";
    const coded = [number, meaning, "HL70357", error].join(sub);
    return ["ERR", [...place, ...(place.length === 2 ? [""] : []), coded].join(component)];
  }
  const coded = [number, meaning, "HL70357"].join(component);
  return ["ERR", "", place.join(component), coded, "E", error, "", "", REASONS.get(error) ?? LATER];
}

/** What a sender wrote cannot end the answer's segment or frame. ESC begins characters in ISO-2022-JP. */
function printableField(text: string): string {
  return text.replace(/[\x00-\x1a\x1c-\x1f]/g, "");
}

/** HL7 DTM, UTC. */
function timestamp(): string {
  return `${new Date().toISOString().replace(/\D/g, "").slice(0, 14)}+0000`;
}

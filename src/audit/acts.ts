// SPDX-License-Identifier: Apache-2.0
import type { LogDescription } from "ethers";
import { isoTime } from "./iso-time.js";

/** What happened to a patient's keys, guardians, orders, emergencies and holds, beside grants and accesses. */
export const ACT_KINDS = [
  "signer-rotated",
  "guardians-set",
  "delegate-set",
  "change-proposed",
  "change-cancelled",
  "change-completed",
  "witnessed",
  "order-entered",
  "order-lifted",
  "glass-broken",
  "glass-late",
  "glass-justified",
  "glass-reviewed",
  "glass-overdue",
  "held",
  "hold-lifted",
  "erased",
] as const;
export type ActKind = (typeof ACT_KINDS)[number];

/** What is told of an act, in the order in which it is told. Values are plain text: times in ISO 8601, UTC. */
export const ACT_DETAILS = [
  "change",
  "act",
  "verdict",
  "ground",
  "index",
  "reader",
  "first",
  "second",
  "reviewer",
  "officer",
  "guardians",
  "threshold",
  "until",
  "released",
  "release",
  "ready",
  "withdrawn",
  "document",
  "certificate",
  "terms",
  "statement",
] as const;
export type ActDetails = Partial<Record<(typeof ACT_DETAILS)[number], string>>;

/** One act as read from its event; `at` is 0 when the event does not say its time. */
export interface ReadAct {
  kind: ActKind;
  at: number;
  /** Member id, where the act concerns one. */
  member?: number;
  details: ActDetails;
}

const CHANGES = ["SIGNER", "GUARDIANS", "INCAPABLE", "CAPABLE", "DEAD"] as const;
const WITNESSED_ACTS = ["GRANT", "REVOCATION", "DENIAL"] as const;
const VERDICTS = ["NONE", "APPROPRIATE", "INAPPROPRIATE"] as const;
const GROUNDS = ["PATIENT", "REVIEWER", "RETENTION"] as const;
const NOBODY = `0x${"00".repeat(20)}`;

type Arguments = LogDescription["args"];
type Reader = (args: Arguments) => ReadAct;

const text = (args: Arguments, name: string): string => String(args[name]).toLowerCase();
const time = (args: Arguments, name: string): number => Number(args[name]);
const until = (args: Arguments, name = "until"): string => isoTime(Number(args[name]));

/** By the event's name. */
const READERS: Readonly<Record<string, Reader>> = {
  SignerRotated: (args) => ({ kind: "signer-rotated", at: time(args, "rotatedAt"), details: {} }),
  GuardiansSet: (args) => ({
    kind: "guardians-set",
    at: time(args, "setAt"),
    details: {
      guardians: String((args["guardians"] as unknown[]).length),
      threshold: String(args["threshold"]),
      until: until(args),
    },
  }),
  DelegateSet: (args) => ({
    kind: "delegate-set",
    at: time(args, "setAt"),
    details: { until: until(args) },
  }),
  ChangeProposed: (args) => {
    const { kind } = args["change"] as { kind: bigint };
    const reviewer = text(args, "reviewer");
    return {
      kind: "change-proposed",
      at: 0,
      details: {
        change: nameOf(CHANGES, kind),
        ...(reviewer === NOBODY ? {} : { reviewer }),
        ready: until(args, "readyAt"),
      },
    };
  },
  ChangeCancelled: (args) => ({
    kind: "change-cancelled",
    at: time(args, "cancelledAt"),
    details: { withdrawn: String(args["withdrawn"]) },
  }),
  ChangeCompleted: (args) => ({ kind: "change-completed", at: time(args, "completedAt"), details: {} }),
  Witnessed: (args) => ({
    kind: "witnessed",
    at: 0,
    details: {
      act: nameOf(WITNESSED_ACTS, args["act"] as bigint),
      first: text(args, "first"),
      second: text(args, "second"),
      document: String(args["documentIndex"]),
      terms: text(args, "ref"),
    },
  }),
  OrderEntered: (args) => ({
    kind: "order-entered",
    at: time(args, "enteredAt"),
    member: Number(args["grantee"]),
    details: {
      first: text(args, "first"),
      second: text(args, "second"),
      until: isoTime(Number((args["terms"] as { notAfter: bigint }).notAfter)),
      document: String(args["documentIndex"]),
      terms: text(args, "termsHash"),
    },
  }),
  OrderLifted: (args) => ({
    kind: "order-lifted",
    at: time(args, "liftedAt"),
    details: {
      first: text(args, "first"),
      second: text(args, "second"),
      terms: text(args, "termsHash"),
    },
  }),
  GlassBroken: (args) => {
    const terms = args["terms"] as Record<"grantee" | "notBefore" | "notAfter", bigint>;
    return {
      kind: "glass-broken",
      at: Number(terms.notBefore),
      member: Number(terms.grantee),
      details: {
        reader: text(args, "reader"),
        second: text(args, "colleague"),
        until: isoTime(Number(terms.notAfter)),
        terms: text(args, "windowId"),
        statement: text(args, "reasonDigest"),
      },
    };
  },
  LateReleaseFiled: (args) => ({
    kind: "glass-late",
    at: time(args, "filedAt"),
    member: Number(args["memberId"]),
    details: {
      reader: text(args, "reader"),
      second: text(args, "colleague"),
      released: until(args, "releasedAt"),
      terms: text(args, "windowId"),
      statement: text(args, "reasonDigest"),
      release: text(args, "releaseDigest"),
    },
  }),
  WindowJustified: (args) => ({
    kind: "glass-justified",
    at: time(args, "justifiedAt"),
    details: {
      officer: text(args, "officer"),
      terms: text(args, "windowId"),
      statement: text(args, "statementDigest"),
    },
  }),
  WindowReviewed: (args) => ({
    kind: "glass-reviewed",
    at: time(args, "reviewedAt"),
    details: {
      verdict: nameOf(VERDICTS, args["verdict"] as bigint),
      officer: text(args, "officer"),
      terms: text(args, "windowId"),
      statement: text(args, "statementDigest"),
    },
  }),
  WindowOverdue: (args) => ({
    kind: "glass-overdue",
    at: time(args, "flaggedAt"),
    details: { terms: text(args, "windowId") },
  }),
  EntryHeld: (args) => entryAct("held", args, { until: until(args) }),
  HoldLifted: (args) => entryAct("hold-lifted", args, {}),
  EntryErased: (args) =>
    entryAct("erased", args, {
      ground: nameOf(GROUNDS, args["ground"] as bigint),
      certificate: String(args["certificateIndex"]),
    }),
};

/** The act that an event tells of; undefined when it is none of these, or says something no contract says. */
export function actOf({ name, args }: LogDescription): ReadAct | undefined {
  return READERS[name]?.(args);
}

function entryAct(kind: ActKind, args: Arguments, details: ActDetails): ReadAct {
  return {
    kind,
    at: 0,
    member: Number(args["memberId"]),
    details: { index: String(args["index"]), ...details },
  };
}

function nameOf(names: readonly string[], number: bigint): string {
  return names[Number(number)] ?? String(number);
}

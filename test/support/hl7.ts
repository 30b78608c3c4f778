// SPDX-License-Identifier: Apache-2.0
import { stdinSource, type Source } from "../../src/ingest/index.js";

/** An HL7 v2 message, written to the standard; its facility is GH, whose patients have `mrn`s. */
export function message(event: string, control: string, ...segments: string[]): string {
  const header = `MSH|^~\\&|APP|GH|EHR|GH|20240506071500+0800||${event}|${control}|P|2.5.1`;
  return [header, ...segments, ""].join("\r");
}

export function pid(...mrns: string[]): string {
  return `PID|1||${mrns.map((mrn) => `${mrn}^^^GH^MR`).join("~")}||TEST^ANN`;
}

/** A report of one filler number; each result's value and its status of table 0085. */
export function report(control: string, mrn: string, filler: string, ...results: [string, string][]): string {
  return message(
    "ORU^R01^ORU_R01",
    control,
    pid(mrn),
    `OBR|1||${filler}^LAB|GLU^Glucose^L`,
    ...results.map(
      ([value, status], at) => `OBX|${at + 1}|NM|R${at + 1}^Result^L||${value}|mmol/L|||||${status}`,
    ),
  );
}

/** A document message: `number` is TXA-12, `parent` TXA-13. */
export function document(event: string, control: string, mrn: string, number: string, parent = ""): string {
  return message(
    `MDM^${event}^MDM_T02`,
    control,
    pid(mrn),
    `TXA|1|DS|TX|20240506||||||||${number}|${parent}||||AU`,
    `OBX|1|TX|DOC^Document^L||text of ${control}||||||F`,
  );
}

export function messagesSource(...messages: (string | Uint8Array)[]): Source {
  const bytes = Buffer.concat(
    messages.map((text) => (typeof text === "string" ? Buffer.from(text, "latin1") : text)),
  );
  const stream = (async function* () {
    yield bytes;
  })();
  return stdinSource(stream, { name: "feed.hl7", format: "file" });
}

// SPDX-License-Identifier: Apache-2.0
import { hash } from "node:crypto";
import { jsonItems, type Became, type LiveIntake } from "../ingest/index.js";
import { isBadItem, type BadItem, type SourceItem } from "../records/index.js";
import type { Tally } from "./events.js";
import { problem, refused, taken, type Answer, type OperationOutcome } from "./operation-outcome.js";
import { refusalOf } from "./refusal.js";

/** What the path of a request says of its body. */
export interface Expected {
  type: string;
  id?: string;
  /** The path takes Bundles whose entries are records of their own, if the listener splits. */
  split?: boolean;
}

/** The answer to a Bundle that was split: one of each entry (FHIR R4, 3.1.0.11.2). */
export interface BatchResponse {
  resourceType: "Bundle";
  type: "batch-response";
  entry: { response: { status: string; outcome: OperationOutcome } }[];
}

export interface DeskAnswer {
  status: Answer["status"];
  body: OperationOutcome | BatchResponse;
}

/** Takes FHIR resources, and answers each request once all in it is durable. */
export class FhirDesk {
  readonly #intake: LiveIntake;
  readonly #tally: Tally;

  constructor(intake: LiveIntake, tally: Tally) {
    this.#intake = intake;
    this.#tally = tally;
  }

  /** @throws what {@link refusalOf} tells apart */
  async take(bytes: Uint8Array, expected: Expected): Promise<DeskAnswer> {
    const path = `fhir/${expected.type}`;
    // Its bytes name what has no id, so that it amends no other.
    const label = `${path}#${hash("sha256", bytes, "hex").slice(0, 16)}`;
    const items = [...jsonItems(bytes, { path, label, everyEntry: true }, expected.split === true)];
    const [only] = items;
    if (only?.label !== label) return await this.#takeEntries(items);
    if (isBadItem(only)) throw only.error;
    const wrong = unexpected(only, expected);
    if (wrong !== undefined) {
      this.#tally.refused({ door: "http", code: "ERR_ITEM_INVALID", later: false });
      const { status, outcome } = problem(400, "invalid", "ERR_ITEM_INVALID", wrong);
      return { status, body: outcome };
    }
    const { status, outcome } = taken(await this.#takeOne(only));
    return { status, body: outcome };
  }

  /** An entry that cannot be taken does not stop the others; one that cannot be taken now does: send all again. */
  async #takeEntries(items: readonly (SourceItem | BadItem)[]): Promise<DeskAnswer> {
    const all = await Promise.allSettled(
      items.map(async (item) => {
        if (isBadItem(item)) throw item.error;
        return await this.#takeOne(item);
      }),
    );
    const answers = all.map((result) => {
      if (result.status === "fulfilled") return taken(result.value);
      const refusal = refusalOf(result.reason);
      if (refusal.later) throw refusal.error;
      this.#tally.refused({ door: "http", code: refusal.error.code, later: false });
      return refused(refusal);
    });
    const entry = answers.map(({ status, outcome }) => ({ response: { status: String(status), outcome } }));
    return { status: 200, body: { resourceType: "Bundle", type: "batch-response", entry } };
  }

  async #takeOne(item: SourceItem): Promise<Became> {
    const became = await this.#intake.take(item);
    if (!became.kept) throw became.error!;
    const code = became.error?.code;
    const { outcome } = became;
    this.#tally.taken({
      door: "http",
      outcome,
      bytes: item.size,
      ...(code === undefined ? {} : { code }),
    });
    return became;
  }
}

function unexpected({ resourceType, sourceKey }: SourceItem, { type, id }: Expected): string | undefined {
  if (resourceType !== type) return `the body is no FHIR resource of type ${type}`;
  return id === undefined || sourceKey === `${type}/${id}` ? undefined : "the body's id is not the path's";
}

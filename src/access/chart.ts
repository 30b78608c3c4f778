// SPDX-License-Identifier: Apache-2.0
import { ENTRY_STATUS, WITHDRAWN } from "../chain/index.js";
import type { Hex, Leaf, Receipt } from "../crypto/index.js";
import type { Terms } from "../consent/index.js";
import { ChartsealError, requireFormat } from "../errors.js";

/** An entry under legal hold is as current as any. */
const NOT_CURRENT = ENTRY_STATUS.SUPERSEDED | WITHDRAWN;

/** What the custodian says of an entry without opening it. */
export interface EntryLabels {
  label: string;
  mediaType: string;
  size: number;
  resourceType?: string;
  recordedAt?: string;
}

/** One entry of a patient's index, checked against the chain. */
export interface ChartEntry extends EntryLabels {
  leaf: Leaf;
  firstIndex: number;
  count: number;
  proof: Hex[];
  cid: string;
  /** Flags of EntryStatus.sol, as the reader's own node shows them. */
  status: number;
}

/**
 * A patient's records at one custodian, as far as a grant shows them. Every entry's proof was checked against a
 * root that the reader's own node holds.
 */
export class Chart {
  readonly terms: Terms;
  readonly entries: readonly ChartEntry[];
  /**
   * Numbers (patientSeq) up to the last shown that are missing. They are other compartments or days that the grant
   * leaves out, withdrawn entries, or evidence of acts (consents on paper, receipts of accesses), which no grant shows;
   * else the custodian keeps something back. What he leaves out after the last one does not show.
   */
  readonly gaps: readonly number[];
  readonly #receipts: ReadonlyMap<number, Receipt>;

  constructor(
    terms: Terms,
    entries: readonly ChartEntry[],
    receipts: ReadonlyMap<number, Receipt>,
    gaps: readonly number[] = gapsOf(entries),
  ) {
    this.terms = terms;
    this.entries = entries;
    this.gaps = gaps;
    this.#receipts = receipts;
  }

  /** Entries that match every criterion given. `current` leaves out what was amended or withdrawn. */
  filter(criteria: { type?: string; indices?: readonly number[]; current?: boolean }): Chart {
    const { type, indices, current } = criteria;
    const kept = this.entries.filter(
      (entry) =>
        (type === undefined || entry.resourceType === type) &&
        (indices === undefined || indices.includes(entry.leaf.index)) &&
        (current !== true || (entry.status & NOT_CURRENT) === 0),
    );
    // What the reader leaves out himself is no gap.
    return new Chart(this.terms, kept, this.#receipts, this.gaps);
  }

  /** Evidence for one entry, for verification offline. */
  receipt(index: number): Receipt {
    const receipt = this.#receipts.get(index);
    if (receipt === undefined) throw new ChartsealError("ERR_USAGE", `the chart shows no entry ${index}`);
    return receipt;
  }

  /** The chart as JSON text, to be kept where keys are kept: it names what the patient has. */
  serialise(): string {
    const receipts = this.entries.map(({ leaf }) => this.receipt(leaf.index));
    return JSON.stringify({ format: 1, terms: this.terms, entries: this.entries, receipts, gaps: this.gaps });
  }

  /**
   * Reads what {@link serialise} wrote. It is trusted: only text from the member's own vault may be given.
   * @throws ERR_FORMAT_UNSUPPORTED
   */
  static parse(text: string): Chart {
    const kept: unknown = JSON.parse(text);
    requireFormat(kept, "the kept chart");
    const { terms, entries, receipts, gaps } = kept as {
      terms: Terms;
      entries: ChartEntry[];
      receipts: Receipt[];
      gaps: number[];
    };
    return new Chart(terms, entries, new Map(receipts.map((receipt) => [receipt.leaf.index, receipt])), gaps);
  }
}

function gapsOf(entries: readonly ChartEntry[]): number[] {
  const seqs = entries.map((entry) => entry.leaf.patientSeq).sort((a, b) => a - b);
  const shown = new Set(seqs);
  const last = seqs.at(-1) ?? 0;
  return Array.from({ length: last }, (_, position) => position + 1).filter((seq) => !shown.has(seq));
}

// SPDX-License-Identifier: Apache-2.0
import { readLogs, type Chain, type Writer } from "../chain/index.js";
import { typedData, type TypedData } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { Entries, type AnchoredEntry, type Journal } from "../records/index.js";
import { deadlineOn } from "./deadline.js";

/** As the contract takes them in one call. */
const MOST_ENTRIES = 64;

/** A hold, or its lifting, with what the patient signs: another member's reviewer relays it without the log. */
export interface HoldAct {
  entries: Pick<AnchoredEntry, "leaf" | "firstIndex" | "count" | "proof">[];
  typedData: TypedData;
}

export interface HeldEntry {
  index: number;
  patientId: Hex;
  /** Unix seconds, inclusive. */
  until: number;
  /** Past its end anybody may lift it. */
  ended: boolean;
}

export interface HoldParts {
  memberId: number;
  chain: Chain;
  journal: Journal;
  /** Who relays: this member's operator; for a lift of another member's hold, its reviewer. */
  writer: () => Writer;
}

/** Legal hold (封存): custodian and patient together put records beyond change, and together let them go. */
export class Holds {
  readonly #parts: HoldParts;

  constructor(parts: HoldParts) {
    this.#parts = parts;
  }

  /** What the patient signs to put entries of this member's log on hold. @throws ERR_USAGE */
  async placing(indices: readonly number[], until: Date): Promise<HoldAct> {
    return await this.#act("Hold", indices, { until: Math.floor(until.getTime() / 1000) });
  }

  /** What he, or his guardians or estate, sign to lift a hold before its end. @throws ERR_USAGE */
  async lifting(indices: readonly number[]): Promise<HoldAct> {
    return await this.#act("HoldLift", indices, {});
  }

  /** Relays a signed hold. @throws ERR_CHAIN_REFUSED with the contract's reason */
  async place({ entries, typedData: { message } }: HoldAct, signature: Hex): Promise<void> {
    const [until, deadline] = [message["until"] as number, message["deadline"] as number];
    const { chain, writer } = this.#parts;
    const call = await chain.ask(() =>
      chain.records.placeHold.populateTransaction(entries, until, deadline, signature),
    );
    await writer().execute(call);
  }

  /** Relays a signed lift. @throws ERR_CHAIN_REFUSED with the contract's reason */
  async lift({ entries, typedData: { message } }: HoldAct, signature: Hex): Promise<void> {
    const { chain, writer } = this.#parts;
    const deadline = message["deadline"] as number;
    const call = await chain.ask(() =>
      chain.records.liftHold.populateTransaction(entries, deadline, signature),
    );
    await writer().execute(call);
  }

  /** Lifts holds that ended: needs nobody's signature. @throws ERR_CHAIN_REFUSED with reason HoldLasts */
  async liftEnded(indices: readonly number[]): Promise<void> {
    const { chain, writer } = this.#parts;
    const call = await chain.ask(() =>
      chain.records.liftEndedHold.populateTransaction(this.#entries(indices)),
    );
    await writer().execute(call);
  }

  /** This member's entries on hold, by index. */
  async list(): Promise<HeldEntry[]> {
    const { chain, memberId } = this.#parts;
    const { records } = chain;
    const topics = records.interface.encodeFilterTopics("EntryHeld", [memberId]) as string[];
    const patients = new Map<number, Hex>();
    for await (const log of readLogs(chain, { address: chain.deployment.records, topics })) {
      const { args } = records.interface.parseLog(log)!;
      patients.set(Number(args["index"]), args["patientId"] as Hex);
    }
    const now = await chain.time();
    const held: HeldEntry[] = [];
    for (const [index, patientId] of [...patients].sort(([one], [other]) => one - other)) {
      const until = Number(await chain.ask(() => records.holdUntil(memberId, index)));
      if (until !== 0) held.push({ index, patientId, until, ended: now > until });
    }
    return held;
  }

  async #act(
    primaryType: "Hold" | "HoldLift",
    indices: readonly number[],
    more: Record<string, unknown>,
  ): Promise<HoldAct> {
    const { chain } = this.#parts;
    const entries = this.#entries(indices);
    const { patientId } = entries[0]!.leaf;
    const other = entries.find(({ leaf }) => leaf.patientId !== patientId);
    if (other !== undefined) {
      throw new ChartsealError("ERR_USAGE", `entry ${other.leaf.index} is another patient's`, {
        values: { index: other.leaf.index, patientId },
        hint: "a patient signs for his own entries: one call for each patient",
      });
    }
    const nonce = await chain.ask(() => chain.records.nonceOf(patientId));
    const data = typedData(chain.deployment, "records", primaryType, {
      patientId,
      indices: entries.map(({ leaf }) => leaf.index),
      ...more,
      nonce: String(nonce),
      deadline: await deadlineOn(chain),
    });
    return { entries, typedData: data };
  }

  #entries(indices: readonly number[]): HoldAct["entries"] {
    if (indices.length === 0 || indices.length > MOST_ENTRIES) {
      throw new ChartsealError("ERR_USAGE", `a hold is of 1 to ${MOST_ENTRIES} entries at once`, {
        values: { entries: indices.length, most: MOST_ENTRIES },
        hint: "hold a longer chart in several calls",
      });
    }
    const { journal, memberId } = this.#parts;
    const entries = new Entries(journal, memberId);
    return indices.map((index) => {
      const { leaf, firstIndex, count, proof } = entries.at(index);
      return { leaf, firstIndex, count, proof };
    });
  }
}

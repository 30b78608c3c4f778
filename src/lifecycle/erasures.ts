// SPDX-License-Identifier: Apache-2.0
import { withoutErased, type Exchange } from "../access/index.js";
import { ENTRY_STATUS } from "../chain/index.js";
import { typedData, type TypedData } from "../consent/index.js";
import { LeafKind, indexRef, toHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { anchorDocument, type IngestParts } from "../ingest/index.js";
import { Entries, ItemState, type AnchoredEntry, type Journal, type JournalItem } from "../records/index.js";
import { GROUNDS, certificateOf, type ErasureCertificate, type Ground } from "./certificate.js";
import { deadlineOn, timeOn } from "./deadline.js";
import { erasedDigest, erasureMarks, type ErasureMark } from "./erasure-marks.js";

const PENDING = Object.values(ItemState).filter((state) => state !== ItemState.ANCHORED);
const NOBODY: Hex = `0x${"00".repeat(20)}`;

/** An erasure whose certificate is anchored, with what is signed for it. */
export interface ErasureAct {
  index: number;
  certificateIndex: number;
  ground: Ground;
  /** Of ground retention nobody signs it. */
  typedData: TypedData;
}

/** What permits an erasure: of ground patient `signature`, of ground reviewer his account too. */
export interface Permit {
  account?: Hex;
  signature?: Hex;
}

export interface Erased {
  index: number;
  certificateIndex: number;
  /** Other versions of the same item, which stand: each is erased by a call of its own. */
  versions: number[];
  /** Backups from which the key can still be had, until they expire or the next backup is made. */
  backups: number;
}

export interface ErasureParts extends IngestParts {
  exchange: Exchange;
}

/**
 * Erases records: certificate, mark on chain, then key, body, releases and details. Each step may be repeated, and a
 * call that was cut short is finished by the same call again.
 */
export class Erasures {
  readonly #parts: ErasureParts;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
  }

  /**
   * Anchors the certificate and says what is to be signed. Nothing is erased yet.
   * @throws ERR_USAGE, ERR_CHAIN_REFUSED with reason StatusForbids (held), KindForbids or RetentionLasts
   */
  async prepare(index: number, ground: Ground): Promise<ErasureAct> {
    const { chain, memberId } = this.#parts;
    const entry = this.#entry(index);
    await this.#requireErasable(entry, ground);
    const certificateIndex = (await this.#certify(entry, ground)).entry.leaf.index;
    const message = { memberId, index, certificateIndex, deadline: await deadlineOn(chain) };
    const data = typedData(chain.deployment, "records", "Erasure", message);
    return { index, certificateIndex, ground, typedData: data };
  }

  /** Marks the entry as erased on chain, and erases it here. @throws ERR_CHAIN_REFUSED with the contract's reason */
  async carryOut(act: ErasureAct, permit: Permit = {}): Promise<Erased> {
    const { chain, writer } = this.#parts;
    const { index, certificateIndex, ground } = act;
    const entries = [this.#entry(index), this.#entry(certificateIndex)] as const;
    if (!(await this.#isErased(index))) {
      const { account = NOBODY, signature = "0x" } = permit;
      const cosigner = { account, signature, deadline: act.typedData.message["deadline"] as number };
      const call = await chain.ask(() =>
        chain.records.erase.populateTransaction(...entries, GROUNDS.indexOf(ground), cosigner),
      );
      await writer.execute(call);
    }
    return (await this.finish(index))!;
  }

  /** Erases here what is erased on chain, and says so; undefined when it is not. */
  async finish(index: number): Promise<Erased | undefined> {
    const { chain, exchange, vault } = this.#parts;
    const [mark] = await erasureMarks(chain, this.#parts.memberId, index);
    if (mark === undefined) return undefined;
    const erased = this.#entry(index);
    await chain.ask(() => chain.records.requireAnchored(erased), "ERR_CHAIN_MISMATCH");
    // No access can come any more: if some came since the certificate, another one names them too.
    const { entry, accesses } = await this.#certify(erased, mark.ground, mark);
    await this.wipe(index);
    for (const { memberId: to, accessId: id } of accesses) {
      for (const type of ["release", "late-release"] as const) await exchange.remove({ to, type, id });
    }
    const backups = vault.backups.live(await timeOn(chain)).length;
    return { index, certificateIndex: entry.leaf.index, versions: this.#versionsOf(index), backups };
  }

  /**
   * Ends an erasure cycle: wraps all other content keys anew and destroys the key-encryption key that copies of the
   * vault's file may have erased ones under. While a backup still needs it, the next backup does so.
   */
  async rotate(): Promise<boolean> {
    const { chain, vault } = this.#parts;
    // While the chain does not answer our own clock has to do: the key must not outlive the erasure for that.
    const now = await timeOn(chain).catch(() => Math.floor(Date.now() / 1_000));
    if (vault.backups.live(now).length > 0) return false;
    await vault.rotateKek();
    return true;
  }

  /** Erases, here only, key, releases, body and details, in this order: without the key the rest is unreadable. */
  async wipe(index: number): Promise<void> {
    const { vault, journal } = this.#parts;
    await this.#wipeItem(journal.itemAt(index)!, () => {
      vault.releases.each((json) => withoutErased(json, index));
    });
  }

  async #wipeItem({ id, recordId, cid }: JournalItem, withRelease: () => void = () => {}): Promise<void> {
    const { vault, store, journal } = this.#parts;
    vault.eraseKey(recordId!);
    withRelease();
    await store.delete(cid!);
    journal.erase(id);
  }

  /**
   * Repeats here every erasure that is on chain: a restored copy knows nothing of those that came after it. Then it
   * may give keys again.
   * @returns how many entries are erased, and how many were anchored after the copy was made: their keys are lost
   * @throws ERR_RPC_UNAVAILABLE (retryable) while the node syncs, ERR_CHAIN_MISMATCH when it is another chain's, or lacks
   * what the journal knows to be anchored
   */
  async reconcile(): Promise<{ erased: number; lost: number }> {
    const { chain, vault, journal, memberId } = this.#parts;
    await chain.check();
    await this.#requireCaughtUp();
    let erased = 0;
    for (const mark of await erasureMarks(chain, memberId)) {
      if (await this.#isThatEntry(mark.index)) {
        await this.wipe(mark.index);
        erased++;
      } else erased += await this.#wipePending(mark);
    }
    vault.backups.reconciled();
    const newest = journal.newestAnchored();
    const own = newest === undefined ? 0 : newest.firstIndex + newest.count - 1;
    const head = Number(await chain.ask(() => chain.records.headOf(memberId)));
    return { erased, lost: Math.max(0, head - own) };
  }

  /**
   * What waited for its place when the copy was made may have been anchored and erased since. It is known by the digest of
   * its sealed bytes, for its content key was drawn when it was sealed.
   */
  async #wipePending(mark: ErasureMark): Promise<number> {
    const { chain, journal, memberId } = this.#parts;
    if (!PENDING.some((state) => journal.hasIn(state))) return 0;
    const items = journal.pendingOf(await erasedDigest(chain, memberId, mark));
    for (const item of items) await this.#wipeItem(item);
    return items.length;
  }

  /**
   * Whether the journal's entry is the one that stands on chain: its own numbering must not decide whose key is
   * destroyed. One that was on its way when the copy was made may have been anchored since, or another in its place.
   */
  async #isThatEntry(index: number): Promise<boolean> {
    const { chain, journal, memberId } = this.#parts;
    if (isAnchored(journal, index)) {
      await chain.ask(() => chain.records.requireAnchored(this.#entry(index)), "ERR_CHAIN_MISMATCH");
      return true;
    }
    const batchId = journal.itemAt(index)?.batchId;
    const batch = batchId === undefined ? undefined : journal.batch(batchId);
    if (batch === undefined) return false;
    try {
      const { firstIndex, count, root } = batch;
      const found = await chain.ask(() => chain.records.rootAndStatus(memberId, firstIndex, count, index));
      return found.root === toHex(root);
    } catch (error) {
      if (error instanceof ChartsealError && error.values["reason"] === "BatchUnknown") return false;
      throw error;
    }
  }

  /** A node that is behind would keep later erasures from us. */
  async #requireCaughtUp(): Promise<void> {
    const { chain, journal, memberId } = this.#parts;
    if ((await chain.ask(() => chain.provider.send("eth_syncing", []))) !== false) {
      throw new ChartsealError("ERR_RPC_UNAVAILABLE", "the node still syncs: it does not show all erasures", {
        hint: "wait until it has caught up",
        retryable: true,
      });
    }
    const newest = journal.newestAnchored();
    if (newest === undefined) return;
    const head = Number(await chain.ask(() => chain.records.headOf(memberId)));
    if (head >= newest.firstIndex + newest.count - 1) return;
    throw new ChartsealError("ERR_CHAIN_MISMATCH", `the node shows ${head} entries, the journal has more`, {
      values: { head },
      hint: "the node is behind or was reset: what was erased since cannot be known from it",
    });
  }

  async #certify(
    entry: AnchoredEntry,
    ground: Ground,
    mark?: ErasureMark,
  ): Promise<{ entry: AnchoredEntry; accesses: ErasureCertificate["cannotBeRecalled"]["accesses"] }> {
    const { chain, vault } = this.#parts;
    const { index, patientId } = entry.leaf;
    const block = await chain.ask(() => chain.provider.getBlock(mark?.blockNumber ?? "latest"));
    const at = mark === undefined ? await timeOn(chain) : block!.timestamp;
    const horizon = { blockNumber: block!.number, at };
    const certificate = await certificateOf(chain, entry, ground, { vault, horizon });
    const anchored = await anchorDocument(this.#parts, {
      kind: LeafKind.ERASURE_CERTIFICATE,
      patientId,
      ref: indexRef(index),
      mediaType: "application/json",
      label: `erasure certificate of entry ${index}`,
      bytes: Buffer.from(`${JSON.stringify(certificate, null, 2)}\n`),
    });
    return { entry: anchored, accesses: certificate.cannotBeRecalled.accesses };
  }

  /** What the contract would refuse is refused before a certificate stands in the log for good. */
  async #requireErasable({ leaf }: AnchoredEntry, ground: Ground): Promise<void> {
    const { chain, memberId } = this.#parts;
    const { index, kind, recordedDay } = leaf;
    if (kind !== LeafKind.RECORD) throw refused("KindForbids", `entry ${index} is no record`, { index });
    const status = Number(await chain.ask(() => chain.records.statusOf(memberId, index)));
    if ((status & ENTRY_STATUS.HELD) !== 0) {
      throw refused("StatusForbids", `entry ${index} is on legal hold`, { index });
    }
    if (ground !== "retention") return;
    const until = recordedDay + Number(await chain.ask(() => chain.records.RETENTION()));
    if (Math.floor((await chain.time()) / 86_400) > until) return;
    throw refused("RetentionLasts", `entry ${index} is kept until day ${until}`, { index, untilDay: until });
  }

  async #isErased(index: number): Promise<boolean> {
    const { chain, memberId } = this.#parts;
    const status = Number(await chain.ask(() => chain.records.statusOf(memberId, index)));
    return (status & ENTRY_STATUS.ERASED) !== 0;
  }

  #versionsOf(index: number): number[] {
    const rows = this.#parts.journal.database.all(
      `SELECT log_index FROM items WHERE source_mac = (SELECT source_mac FROM items WHERE log_index = ?)
         AND log_index <> ? AND state = ${ItemState.ANCHORED} AND erased = 0 ORDER BY log_index`,
      index,
      index,
    );
    return rows.map((row) => Number(row["log_index"]));
  }

  #entry(index: number): AnchoredEntry {
    return new Entries(this.#parts.journal, this.#parts.memberId).at(index);
  }
}

function refused(reason: string, why: string, values: Record<string, number>): ChartsealError {
  return new ChartsealError("ERR_CHAIN_REFUSED", why, { values: { reason, ...values } });
}

/** An entry of this index may be another one: it has its place only once it is anchored. */
export function isAnchored(journal: Journal, index: number): boolean {
  return journal.itemAt(index)?.state === ItemState.ANCHORED;
}

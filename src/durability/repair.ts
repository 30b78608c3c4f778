// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { CidSet, ReplicatedStore, type Presence, type Replica } from "../storage/index.js";
import { RepairTarget } from "./repair-target.js";

export interface RepairOptions {
  /** Also reads every body at every replica, to find what is damaged. Left out: only what is missing is found. */
  verify?: boolean;
  /** What must not come back: bodies of erased entries. */
  leaveOut?: ReadonlySet<string>;
  /** Bodies that should be somewhere: those that are nowhere are named. */
  expected?: Iterable<string>;
  onProgress?: (progress: { checked: number; repaired: number }) => void;
  signal?: AbortSignal;
}

export interface RepairResult {
  /** Bodies looked at. */
  checked: number;
  /** By replica: bodies copied to it, and their bytes. */
  replicas: { name: string; repaired: number; bytes: number; failed: number }[];
  /** Bodies that no replica, nor all together, hold whole. */
  lost: string[];
  /** Replicas that could not be asked, and why: nothing was copied to them. */
  unreachable: { name: string; error: ChartsealError }[];
}

/**
 * Copies to each replica what it lacks, or holds damaged, from the others: a body may come from several of them, each
 * block is verified. Interrupted, it is run again.
 * @throws ERR_STORE_FAILED when fewer than two replicas answer; the signal's reason
 */
export async function repairReplicas(
  store: ReplicatedStore,
  options: RepairOptions = {},
): Promise<RepairResult> {
  const unreachable: RepairResult["unreachable"] = [];
  const reachable: Replica[] = [];
  for (const replica of store.replicas) {
    const error = await whyUnreachable(replica);
    if (error === undefined) reachable.push(replica);
    else unreachable.push({ name: replica.name, error });
  }
  if (reachable.length < 2) throw tooFew(unreachable);
  const repair = new Repair(reachable, options);
  await repair.run();
  const replicas = repair.targets.map(({ name, repaired, bytes, failed }) => {
    return { name, repaired, bytes, failed };
  });
  return { checked: repair.checked, replicas, lost: repair.lost, unreachable };
}

class Repair {
  readonly targets: readonly RepairTarget[];
  readonly lost: string[] = [];
  checked = 0;
  readonly #source: ReplicatedStore;
  readonly #options: RepairOptions;

  constructor(replicas: readonly Replica[], options: RepairOptions) {
    this.#source = new ReplicatedStore(replicas, 1);
    this.targets = replicas.map((replica) => new RepairTarget(replica));
    this.#options = options;
  }

  async run(): Promise<void> {
    const { leaveOut, expected = [], signal } = this.#options;
    const seen = new CidSet();
    for await (const presence of this.#source.presence()) {
      signal?.throwIfAborted();
      seen.add(presence.cid);
      if (leaveOut?.has(presence.cid) === true) continue;
      await this.#one(presence);
    }
    for (const target of this.targets) await target.flush();
    this.#report();
    for (const cid of expected) if (!(await this.#isThere(seen, cid))) this.lost.push(cid);
  }

  async #one({ cid, size, holders }: Presence): Promise<void> {
    const lacking: RepairTarget[] = [];
    for (const [place, target] of this.targets.entries()) {
      if (!(await this.#isWhole(target, cid, holders.includes(place)))) lacking.push(target);
    }
    this.checked++;
    try {
      for (const target of lacking) await target.take(cid, size, () => this.#source.get(cid));
    } catch (error) {
      if (!(error instanceof ChartsealError)) throw error;
      // Of the source: a target keeps its own failures.
      this.lost.push(cid);
    }
    this.#report();
  }

  async #isThere(seen: CidSet, cid: string): Promise<boolean> {
    try {
      // A body put meanwhile is not in the lists.
      return seen.has(cid) || (await this.#source.has(cid));
    } catch (error) {
      // What stands in the journal is no CID, because somebody altered it.
      if (error instanceof ChartsealError && error.code === "ERR_USAGE") return false;
      throw error;
    }
  }

  async #isWhole(target: RepairTarget, cid: string, listed: boolean): Promise<boolean> {
    if (!listed || this.#options.verify !== true) return listed;
    return await target.isWhole(cid);
  }

  #report(): void {
    const repaired = this.targets.reduce((sum, target) => sum + target.repaired, 0);
    this.#options.onProgress?.({ checked: this.checked, repaired });
  }
}

/** Why a replica cannot be asked; undefined when it can. */
export async function whyUnreachable({ store }: Replica): Promise<ChartsealError | undefined> {
  const entries = store.list()[Symbol.asyncIterator]();
  try {
    await entries.next();
    return undefined;
  } catch (error) {
    if (error instanceof ChartsealError) return error;
    throw error;
  } finally {
    await entries.return?.();
  }
}

function tooFew(unreachable: RepairResult["unreachable"]): ChartsealError {
  const names = unreachable.map(({ name, error }) => `${name}: ${error.message}`).join("; ");
  return new ChartsealError("ERR_STORE_FAILED", `fewer than two replicas answer; ${names}`, {
    hint: "bring them back, then call again",
    retryable: true,
  });
}

// SPDX-License-Identifier: Apache-2.0

interface Waiting<T> {
  entries: T[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers what concurrent callers want to write and commits it together: one fsync for all that came in the same
 * turn of the event loop.
 */
export class GroupCommit<T> {
  readonly #commit: (entries: T[]) => void;
  #waiting: Waiting<T>[] = [];

  /** @param commit writes all entries durably or throws; it must not return early */
  constructor(commit: (entries: T[]) => void) {
    this.#commit = commit;
  }

  /** Resolves when all `entries` are durable; they are never split over two commits. */
  add(entries: T[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.flush());
      this.#waiting.push({ entries, resolve, reject });
    });
  }

  /** Commits at once what waits. */
  flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    try {
      this.#commit(group.flatMap(({ entries }) => entries));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  }
}

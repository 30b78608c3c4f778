// SPDX-License-Identifier: Apache-2.0

/**
 * One reader of a source that several read together: it has at most one piece in hand, and the source is asked for
 * the next one only when every reader that is left has asked.
 */
export class Reader implements AsyncIterableIterator<Uint8Array> {
  #asked = deferred<void>();
  #give: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined;
  #over: { error: unknown } | "ended" | undefined;
  #gone: { error: unknown } | undefined;

  /** Resolves when the reader wants another piece, and so is done with the one before; rejects once it gave up. */
  async ready(): Promise<void> {
    await this.#asked.promise;
    if (this.#gone !== undefined) throw this.#gone.error;
  }

  /** After {@link ready}. */
  send(piece: Uint8Array): void {
    if (this.#gone === undefined) this.#asked = deferred();
    this.#settle((give) => give.resolve({ value: piece, done: false }));
  }

  end(): void {
    this.#over ??= "ended";
    this.#settle((give) => give.resolve({ value: undefined, done: true }));
  }

  /** Ends the reader's stream with an error. */
  fail(error: unknown): void {
    this.#over ??= { error };
    this.#settle((give) => give.reject(error));
  }

  /** Says that nobody reads any more. */
  gaveUp(error: unknown): void {
    this.#gone ??= { error };
    this.#asked.resolve();
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#over === "ended") return { value: undefined, done: true };
    if (this.#over !== undefined) throw this.#over.error;
    this.#give = deferred();
    this.#asked.resolve();
    return await this.#give.promise;
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#over ??= "ended";
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #settle(how: (give: PromiseWithResolvers<IteratorResult<Uint8Array>>) => void): void {
    const give = this.#give;
    this.#give = undefined;
    if (give !== undefined) how(give);
  }
}

/** A promise that nobody need await. */
function deferred<T>(): PromiseWithResolvers<T> {
  const made = Promise.withResolvers<T>();
  made.promise.catch(() => {});
  return made;
}

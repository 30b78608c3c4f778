// SPDX-License-Identifier: Apache-2.0

/** Starts all work, a few at a time, in order. A failure is reported where its promise is awaited. */
export function inLanes<T>(atOnce: number, work: readonly (() => Promise<T>)[]): Promise<T>[] {
  const outcomes = work.map(() => Promise.withResolvers<T>());
  for (const { promise } of outcomes) promise.catch(() => {});
  let next = 0;
  const lane = async () => {
    while (next < work.length) {
      const index = next++;
      await work[index]!().then(outcomes[index]!.resolve, outcomes[index]!.reject);
    }
  };
  for (let started = 0; started < atOnce; started++) void lane();
  return outcomes.map(({ promise }) => promise);
}

// SPDX-License-Identifier: Apache-2.0

/** Questions that are put to a node at the same time. */
export const NODE_QUESTIONS = 200;

/** Runs `work` over the items, at most `most` at a time. Results are in the items' order; the first error ends it. */
export async function inParallel<T, R>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      const position = next++;
      try {
        results[position] = await work(items[position] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return results;
}

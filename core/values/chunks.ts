/**
 * Cuts a list into chunks, each small enough for one command, statement or job.
 *
 * @param size the most elements of a chunk
 */
export function* chunks<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < all.length; i += size) yield all.slice(i, i + size);
}

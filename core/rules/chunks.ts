/**
 * Cuts what is too much for one command, statement or job into parts of which each is not.
 *
 * @param all what there is
 * @param size the most of one part
 * @returns the parts, in order; none of nothing
 */
export function* chunks<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < all.length; i += size) yield all.slice(i, i + size);
}

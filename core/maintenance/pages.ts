/**
 * Reads rows page by page, each behind the last row of the one before: what can't be dealt with holds up nothing that comes after it.
 *
 * @param size the most rows of a page
 * @param read reads the rows with the lowest ids above a given one, at most a page
 * @returns the pages, none of them empty
 */
export async function* pages<T extends { id: bigint }>(
  size: number,
  read: (afterId: bigint) => Promise<T[]>,
): AsyncGenerator<T[]> {
  let afterId = 0n;
  for (;;) {
    const page = await read(afterId);
    const last = page.at(-1);
    if (!last) return;
    yield page;
    if (page.length < size) return;
    afterId = last.id;
  }
}

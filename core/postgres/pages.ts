/**
 * Reads rows from Postgres page by page, each page beginning after the last id of the previous one. So a row whose
 * processing fails does not hold up later rows.
 *
 * @param size the most rows of a page
 * @param read reads the rows with the lowest ids above `afterId`, at most one page
 * @returns non-empty pages
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

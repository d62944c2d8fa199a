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

/**
 * Reads the next page while the caller works at the present one. So a store that is read and one that is written work at the same time.
 *
 * @param pages are read one page further than the caller has come
 */
export async function* ahead<T>(pages: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = pages.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = pages.next();
      // A failure is thrown where the page is asked for. Nobody asks any more once the caller has failed.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await next.catch(() => undefined);
    await pages.return(undefined);
  }
}

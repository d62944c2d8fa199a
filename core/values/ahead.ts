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

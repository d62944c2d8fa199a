/**
 * Does the same for one after the other. What fails for one (a sale that isn't verified yet) doesn't hold up those behind it.
 *
 * @param all what to do it for; what reading it throws ends it
 * @param run does it for one
 * @throws the first error, once it was tried for all
 */
export async function inTurn<T>(all: Iterable<T> | AsyncIterable<T>, run: (one: T) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  for await (const one of all) {
    try {
      await run(one);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * Runs a function for each element in sequence. A failure, such as a sale that Redis cannot serve, does not hold up
 * later elements.
 *
 * @param all the elements; an error of the iteration itself ends the run
 * @throws the first error, after every element was tried
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

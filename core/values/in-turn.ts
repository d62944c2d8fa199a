import { type Failure, Failures } from '../rules/failures.js';

/**
 * Runs a function for each element in sequence. A failure, such as a sale that Redis cannot serve, does not hold up
 * later elements.
 *
 * @param all the elements; an error of the iteration itself ends the run
 * @param nameOf names an element in the error, such as `sale drop-1`
 * @throws Failures with every error, after every element was tried
 */
export async function inTurn<T>(
  all: Iterable<T> | AsyncIterable<T>,
  run: (one: T) => Promise<void>,
  nameOf?: (one: T) => string,
): Promise<void> {
  const failures: Failure[] = [];
  for await (const one of all) {
    try {
      await run(one);
    } catch (error) {
      failures.push({ name: nameOf?.(one), error });
    }
  }
  if (failures.length > 0) throw new Failures(failures);
}

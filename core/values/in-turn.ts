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

/**
 * Runs a function for each element as {@link inTurn} does, for several elements at the same time.
 *
 * @param count the most elements at the same time
 * @throws Failures with every error, after every element was tried
 */
export async function fewAtOnce<T>(
  count: number,
  all: AsyncGenerator<T> | readonly T[],
  run: (one: T) => Promise<void>,
): Promise<void> {
  const source = Symbol.asyncIterator in all ? all : generate(all);
  // A generator answers calls of next() one after the other, so each element goes to one lane. A lane that ended would end it for all.
  const shared = { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) };
  const lanes = await Promise.allSettled(Array.from({ length: count }, () => inTurn(shared, run)));
  const failures = lanes.flatMap(lane => (lane.status === 'rejected' ? [{ error: lane.reason as unknown }] : []));
  if (failures.length > 0) throw new Failures(failures);
}

async function* generate<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

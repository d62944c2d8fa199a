/**
 * The most requests that are taken up in one turn of the event loop. A refused one takes up to 0.2 ms with its answer
 * (bench/README.md), so these hold up the others of a turn for about 3 ms.
 */
const PER_TURN = 16;

/** Remembers to take up a request in one of the next turns of the event loop. */
export type TakeUpLater = (takeUp: () => void) => void;

/**
 * Creates the function that spreads requests over turns of the event loop, in the order in which they came. A proxy may
 * hand over hundreds at once. Taken up together, they would stall everybody else for as long as all of them take. The
 * connections of the process, and the requests in flight on each, bound the requests that are remembered.
 */
export function createFewPerTurn(): TakeUpLater {
  let waiting: (() => void)[] = [];

  function takeUpSome(): void {
    const now = waiting.slice(0, PER_TURN);
    waiting = waiting.slice(PER_TURN);
    if (waiting.length > 0) setImmediate(takeUpSome);
    for (const takeUp of now) takeUp();
  }

  return takeUp => {
    if (waiting.length === 0) setImmediate(takeUpSome);
    waiting.push(takeUp);
  };
}

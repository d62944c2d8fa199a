import { expect, test } from '@jest/globals';
import { inLanes } from '../../controls/run/lanes.js';

/** Waits until a signal ends the wait, and fails with another error than the one that the signal has. */
function untilEnded(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('ended by the other lane'))),
  );
}

test('every piece of work is done once, in either lane', async () => {
  const done: string[] = [];
  await inLanes(['left', 'right'], ['a', 'b', 'c', 'd', 'e'], async (_, piece) => void done.push(piece));
  expect(done.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('a failure in one lane ends the other in order, and is the one that is reported', async () => {
  const events: string[] = [];
  const end = inLanes(['left', 'right'], ['breaks', 'waits', 'never begins'], async (lane, piece, signal) => {
    events.push(`${piece} begins`);
    try {
      if (piece === 'breaks') throw new Error('what broke');
      await untilEnded(signal);
    } finally {
      events.push(`${piece} ends in ${lane}`);
    }
  });
  await expect(end).rejects.toThrow('what broke');
  expect(events).toEqual(['breaks begins', 'breaks ends in left', 'waits begins', 'waits ends in right']);
});

test('the failure is reported only after the other lane has put its things away', async () => {
  const events: string[] = [];
  const end = inLanes(['left', 'right'], ['waits', 'breaks'], async (_, piece, signal) => {
    if (piece === 'breaks') throw new Error('what broke');
    await untilEnded(signal).catch(() => undefined);
    await new Promise(setImmediate);
    events.push('put away');
  });
  await expect(end).rejects.toThrow('what broke');
  expect(events).toEqual(['put away']);
});

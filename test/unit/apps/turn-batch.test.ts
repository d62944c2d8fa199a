import { describe, expect, test } from '@jest/globals';
import { TurnBatch } from '../../../apps/api/batching/turn-batch.js';

/** A batch that records its calls and answers each buyer with `buyer@sale`. */
function recording(sizeMax = 10) {
  const calls: [string, string[]][] = [];
  const run = async (saleId: string, buyerIds: string[]) => {
    calls.push([saleId, buyerIds]);
    return buyerIds.map(buyerId => `${buyerId}@${saleId}`);
  };
  return { calls, ask: promising(new TurnBatch({ sizeMax, waitingMax: 100 }, run)) };
}

/** Asks with a promise; undefined when too many requests wait. */
function promising<R>(batch: TurnBatch<R>): (saleId: string, buyerId: string) => Promise<R> | undefined {
  return (saleId, buyerId) => {
    let accepted = false;
    const promise = new Promise<R>((resolve, reject) => {
      accepted = batch.ask(saleId, buyerId, (result, error) =>
        result === undefined ? reject(error) : resolve(result),
      );
    });
    return accepted ? promise : undefined;
  };
}

describe('the requests of one turn of the event loop', () => {
  test('are one call per sale, in the order they came', async () => {
    const { calls, ask } = recording();
    const results = await Promise.all([ask('s', 'ann'), ask('t', 'ann'), ask('s', 'bob')]);
    expect(results).toEqual(['ann@s', 'ann@t', 'bob@s']);
    expect(calls).toEqual([
      ['s', ['ann', 'bob']],
      ['t', ['ann']],
    ]);
  });

  test('of one buyer share one result', async () => {
    const { calls, ask } = recording();
    expect(await Promise.all([ask('s', 'ann'), ask('s', 'ann')])).toEqual(['ann@s', 'ann@s']);
    expect(calls).toEqual([['s', ['ann']]]);
  });

  test('are split into calls of the largest size', async () => {
    const { calls, ask } = recording(2);
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(buyerId => ask('s', buyerId)));
    expect(calls.map(([, buyerIds]) => buyerIds)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  test('fail together, one call apart from the next', async () => {
    const away = new TurnBatch({ sizeMax: 1, waitingMax: 100 }, async (_saleId, [buyerId]) => {
      if (buyerId === 'ann') throw new Error('away');
      return [1];
    });
    const ask = promising(away);
    const results = await Promise.allSettled([ask('s', 'ann'), ask('s', 'ann'), ask('s', 'bob')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});

describe('the bound on waiting requests', () => {
  test('refuses the next request of any sale at once, and admits requests again after results and failures', async () => {
    let fails = false;
    const sometimesAway = new TurnBatch({ sizeMax: 10, waitingMax: 3 }, async (_saleId, buyerIds) => {
      if (fails) throw new Error('away');
      return buyerIds.map(() => 1);
    });
    const ask = promising(sometimesAway);
    for (const round of [1, 2, 3]) {
      fails = round === 2;
      const accepted = [ask('s', 'ann'), ask('s', 'ann'), ask('t', 'bob')];
      expect(accepted).not.toContain(undefined);
      expect(ask('u', 'cem')).toBeUndefined();
      await Promise.allSettled(accepted);
    }
  });
});

describe('a batch that gathers', () => {
  /** A batch whose calls end when the test says so. */
  function held() {
    const calls: string[] = [];
    const ends: (() => void)[] = [];
    const run = async (saleId: string, buyerIds: string[]) => {
      calls.push(`${saleId}: ${buyerIds}`);
      await new Promise<void>(resolve => ends.push(resolve));
      return buyerIds;
    };
    return { calls, ends, ask: promising(new TurnBatch({ sizeMax: 10, waitingMax: 100, gathers: true }, run)) };
  }
  const turns = async (count: number) => {
    for (let i = 0; i < count; i += 1) await new Promise(resolve => setImmediate(resolve));
  };

  test('joins what comes during a call of the sale, and calls once it ends', async () => {
    const { calls, ends, ask } = held();
    const first = ask('s', 'ann');
    await turns(2);
    const others = ['bob', 'cat', 'ann'].map(buyerId => ask('s', buyerId));
    await turns(2);
    expect(calls).toEqual(['s: ann']);
    ends.shift()?.();
    expect(await first).toBe('ann');
    await turns(2);
    expect(calls).toEqual(['s: ann', 's: bob,cat,ann']);
    ends.shift()?.();
    expect(await Promise.all(others)).toEqual(['bob', 'cat', 'ann']);
  });

  test('holds up no other sale', async () => {
    const { calls, ask } = held();
    void ask('s', 'ann');
    await turns(2);
    void ask('t', 'bob');
    await turns(2);
    expect(calls).toEqual(['s: ann', 't: bob']);
  });

  test('calls again although the last call of the sale does not end', async () => {
    const { calls, ends, ask } = held();
    void ask('s', 'ann');
    await turns(2);
    const second = ask('s', 'bob');
    while (ends.length < 2) await turns(1);
    expect(calls).toEqual(['s: ann', 's: bob']);
    ends[1]?.();
    expect(await second).toBe('bob');
  });
});

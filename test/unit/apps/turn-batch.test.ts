import { describe, expect, test } from '@jest/globals';
import { type AskForBuyer, batchPerTurn } from '../../../apps/api/batching/turn-batch.js';

/** Answers with the call's number, and remembers what was asked for. */
function recording() {
  const calls: [string, string[]][] = [];
  const run = async (saleId: string, buyerIds: string[]) => {
    calls.push([saleId, buyerIds]);
    return buyerIds.map(buyerId => `${buyerId}@${saleId}`);
  };
  return { calls, run };
}

/** The same with a promise; undefined when too many wait. */
function promising<R>(ask: AskForBuyer<R>): (saleId: string, buyerId: string) => Promise<R> | undefined {
  return (saleId, buyerId) => {
    let settle: (result: Promise<R>) => void = () => undefined;
    const promise = new Promise<R>(resolve => {
      settle = resolve;
    });
    const accepted = ask(saleId, buyerId, (result, error) => {
      settle(result === undefined ? Promise.reject(error) : Promise.resolve(result));
    });
    return accepted ? promise : undefined;
  };
}

describe('requests of one turn', () => {
  test('travel together, each sale apart, in the order they came', async () => {
    const { calls, run } = recording();
    const ask = promising(batchPerTurn(10, 100, run));
    const results = await Promise.all([ask('s', 'ann'), ask('t', 'ann'), ask('s', 'bob')]);
    expect(results).toEqual(['ann@s', 'ann@t', 'bob@s']);
    expect(calls).toEqual([
      ['s', ['ann', 'bob']],
      ['t', ['ann']],
    ]);
  });

  test('of one buyer are one, with one result', async () => {
    const { calls, run } = recording();
    const ask = promising(batchPerTurn(10, 100, run));
    expect(await Promise.all([ask('s', 'ann'), ask('s', 'ann')])).toEqual(['ann@s', 'ann@s']);
    expect(calls).toEqual([['s', ['ann']]]);
  });

  test('are cut into calls of the largest size', async () => {
    const { calls, run } = recording();
    const ask = promising(batchPerTurn(2, 100, run));
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(buyerId => ask('s', buyerId)));
    expect(calls.map(([, buyerIds]) => buyerIds)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  test('fail together, and only those of one call', async () => {
    const away = batchPerTurn(1, 100, async (_saleId, [buyerId]) => {
      if (buyerId === 'ann') throw new Error('away');
      return [1];
    });
    const ask = promising(away);
    const results = await Promise.allSettled([ask('s', 'ann'), ask('s', 'ann'), ask('s', 'bob')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});

describe('the bound on those who wait', () => {
  test('turns the next one away at once, over all sales, and lets go again after results and failures', async () => {
    let fails = false;
    const sometimesAway = batchPerTurn(10, 3, async (_saleId, buyerIds) => {
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

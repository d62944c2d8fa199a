import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ID_PATTERN } from '#core/rules/claim.js';
import { BuyerHash } from '../../../apps/api/limits/buyer-hash.js';
import { BuyerTimes } from '../../../apps/api/limits/buyer-times.js';
import { type Figure, Limit } from '../../../apps/api/limits/limit.js';

const FIGURE: Figure = { burst: 20, perSecond: 5 };

/** Sends a request at each time, and returns the times of those that pass. */
const passing = (limit: Limit, timesMs: number[]) => timesMs.filter(nowMs => limit.take('ann', nowMs) === 0);

const figures = fc.record({ burst: fc.integer({ min: 1, max: 30 }), perSecond: fc.integer({ min: 1, max: 50 }) });
/** Pauses between requests, in ms: mostly far below what any of the figures allows. */
const pauses = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3_000 })), {
  minLength: 1,
  maxLength: 200,
});

describe('a limit', () => {
  test('lets through no more than its burst and its rate, in any window', () => {
    fc.assert(
      fc.property(figures, pauses, fc.integer({ min: 1, max: 8 }), (figure, gaps, processes) => {
        const limit = new Limit(figure);
        limit.shareAmong(processes);
        let nowMs = 0;
        const passed = passing(
          limit,
          gaps.map(gap => {
            nowMs += gap;
            return nowMs;
          }),
        );
        const burst = Math.max(1, figure.burst / processes);
        for (let from = 0; from < passed.length; from += 1) {
          for (let to = from; to < passed.length; to += 1) {
            const seconds = ((passed[to] as number) - (passed[from] as number)) / 1_000;
            const most = burst + (seconds * figure.perSecond) / processes;
            expect(to - from + 1).toBeLessThanOrEqual(most + 1e-6);
          }
        }
      }),
    );
  });

  test('lets a buyer through again after the time that it names, and not before', () => {
    fc.assert(
      fc.property(figures, fc.integer({ min: 1, max: 8 }), (figure, processes) => {
        const limit = new Limit(figure);
        limit.shareAmong(processes);
        const waitsMs = Array.from({ length: figure.burst + 1 }, () => limit.take('ann', 0));
        const waitMs = waitsMs.find(ms => ms > 0) ?? 0;
        expect(waitMs).toBeGreaterThan(0);
        expect(limit.take('ann', waitMs - 0.01)).toBeGreaterThan(0);
        expect(limit.take('ann', waitMs + 1e-6)).toBe(0);
      }),
    );
  });

  test('counts each buyer apart', () => {
    const limit = new Limit(FIGURE);
    expect(passing(limit, Array(50).fill(0))).toHaveLength(20);
    expect(limit.take('bob', 0)).toBe(0);
  });

  test('is shared in equal parts, of one request at least', () => {
    for (const [processes, atOnce] of [
      [2, 10],
      [3, 6],
      [50, 1],
    ] as const) {
      const limit = new Limit(FIGURE);
      limit.shareAmong(processes);
      expect(passing(limit, Array(50).fill(0))).toHaveLength(atOnce);
    }
  });

  test('with a full table refuses no buyer whom it does not know', () => {
    const limit = new Limit(FIGURE, 4);
    for (let i = 0; i < 1_000; i += 1) expect(limit.take(`buyer-${i}`, 0)).toBe(0);
  });
});

describe('a table of times', () => {
  const timeOf = (times: BuyerTimes, buyerId: string) => times.timeAt(times.entryOf(buyerId));
  const remember = (times: BuyerTimes, buyerId: string, timeMs: number) =>
    times.setTime(times.entryOf(buyerId), timeMs);

  test('remembers each of a crowd apart, by ids of every length', () => {
    const times = new BuyerTimes(131_072);
    const buyerIds = Array.from({ length: 1_000 }, (_, i) => String(i).padStart((i % 64) + 1, 'b'));
    for (const [i, buyerId] of buyerIds.entries()) remember(times, buyerId, i + 1);
    expect(buyerIds.map(buyerId => timeOf(times, buyerId))).toEqual(buyerIds.map((_, i) => i + 1));
  });

  test('knows nothing of a new buyer', () => {
    const times = new BuyerTimes(4);
    for (const buyerId of ['ann', 'bob', 'cat', 'dan']) remember(times, buyerId, 5);
    expect(timeOf(times, 'eve')).toBe(0);
  });

  test('forgets the buyer with the earliest time, when there is no entry for a new one', () => {
    const buyers = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(buyers, numbers => {
        const times = new BuyerTimes(4);
        for (const timeMs of numbers) remember(times, `buyer-${timeMs}`, timeMs);
        remember(times, 'eve', 2_000);
        const earliest = Math.min(...numbers);
        for (const timeMs of numbers.filter(number => number !== earliest)) {
          expect(timeOf(times, `buyer-${timeMs}`)).toBe(timeMs);
        }
        expect(timeOf(times, `buyer-${earliest}`)).toBe(0);
      }),
    );
  });
});

describe('the hash of a buyer', () => {
  const hashOf = (hash: BuyerHash, buyerId: string) => {
    hash.hash(buyerId);
    return [hash.low, hash.high] as const;
  };

  test('is the same for the same id, and differs for different ones', () => {
    const id = fc.stringMatching(ID_PATTERN);
    fc.assert(
      fc.property(id, id, (one, other) => {
        const hash = new BuyerHash();
        const first = hashOf(hash, one);
        if (one === other) expect(hashOf(hash, other)).toEqual(first);
        else expect(hashOf(hash, other)).not.toEqual(first);
        expect(hashOf(hash, one)).toEqual(first);
      }),
    );
  });

  // HalfSipHash-2-4 of the bytes 0, 1, 2, ... with the key 0 to 7, from vectors.h of the reference implementation.
  test.each([
    [0, '218d1f59b9b83cc8'],
    [1, 'be552412f8387315'],
    [3, 'ce0f1a45f7060679'],
    [4, 'd5e78a175be52ea1'],
    [63, '2ea63c71bf326087'],
  ])('of %d bytes is that of the reference implementation', (length, expected) => {
    const hash = new BuyerHash(Int32Array.of(0x03020100, 0x07060504), { word: 2, half: 4 });
    const text = String.fromCharCode(...Array.from({ length }, (_, i) => i));
    const bytes = Buffer.alloc(8);
    for (const [i, half] of hashOf(hash, text).entries()) bytes.writeInt32LE(half, 4 * i);
    expect(bytes.toString('hex')).toBe(expected);
  });

  test('spreads similar ids over all buckets', () => {
    const hash = new BuyerHash();
    const counts = new Array<number>(64).fill(0);
    for (let i = 0; i < 6_400; i += 1) {
      const bucket = (hashOf(hash, `buyer-${i}`)[0] as number) & 63;
      counts[bucket] = (counts[bucket] as number) + 1;
    }
    // 100 on average; 8 standard deviations below or above it happen once in 10^15 times.
    expect(Math.min(...counts)).toBeGreaterThan(20);
    expect(Math.max(...counts)).toBeLessThan(180);
  });

  test('differs from process to process', () => {
    expect(hashOf(new BuyerHash(), 'ann')).not.toEqual(hashOf(new BuyerHash(), 'ann'));
  });
});

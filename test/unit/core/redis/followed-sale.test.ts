import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Change } from '#core/redis/feed/changes.js';
import { FollowedSale } from '#core/redis/feed/followed-sale.js';

const change = (published: number): Change => ({
  version: published,
  since: published,
  published,
  standbyCap: 0,
  state: 'open',
  buyers: [],
});

const pulse = (published: number) => ({ version: published, published, verified: true, nowMs: 1, askedAtMs: 1 });

/** A followed sale, and what its listener hears. */
function followed() {
  const told: string[] = [];
  const sale = new FollowedSale(() => told.push('ask'));
  const leave = sale.add({
    changed: ({ published }) => told.push(`change ${published}`),
    listening: () => told.push('listening'),
    deaf: () => told.push('deaf'),
    looked: ({ version }) => told.push(`looked ${version}`),
  });
  return { sale, told, leave };
}

describe('a message that Redis has counted', () => {
  test('may be on its way until the next comparison, and is missed after it', () => {
    const { sale, told } = followed();
    sale.listen();
    sale.hear(change(1));
    expect(sale.look(pulse(2))).toBe(true);
    expect(sale.hearing).toBe(true);
    expect(sale.look(pulse(2))).toBe(false);
    expect(sale.hearing).toBe(false);
    expect(told).toEqual(['listening', 'change 1', 'ask', 'looked 2', 'deaf', 'looked 2']);
  });

  test('is not missed if it came between the comparisons', () => {
    const { sale } = followed();
    sale.listen();
    sale.hear(change(1));
    sale.look(pulse(2));
    sale.hear(change(2));
    expect(sale.look(pulse(3))).toBe(true);
    expect(sale.hearing).toBe(true);
  });

  test('is not missed if an older one comes after it', () => {
    const { sale } = followed();
    sale.listen();
    for (const published of [2, 1]) sale.hear(change(published));
    sale.look(pulse(2));
    expect(sale.look(pulse(2))).toBe(true);
  });

  test('before the subscription is not missed', () => {
    const { sale } = followed();
    sale.listen();
    expect(sale.look(pulse(7))).toBe(true);
    expect(sale.look(pulse(7))).toBe(true);
    expect(sale.look(pulse(8))).toBe(true);
    expect(sale.look(pulse(8))).toBe(false);
  });

  test('before a second subscription is not missed, and one after it is', () => {
    const { sale } = followed();
    sale.listen();
    sale.hear(change(9));
    sale.look(pulse(9));
    sale.goDeaf();
    sale.listen();
    expect(sale.look(pulse(3))).toBe(true);
    expect(sale.look(pulse(4))).toBe(true);
    expect(sale.look(pulse(4))).toBe(false);
  });

  test('is missed once: a deaf sale misses nothing more', () => {
    const { sale, told } = followed();
    sale.listen();
    sale.hear(change(1));
    sale.look(pulse(5));
    expect([sale.look(pulse(5)), sale.look(pulse(6)), sale.look(pulse(7))]).toEqual([false, true, true]);
    expect(told.filter(word => word === 'deaf')).toHaveLength(1);
  });
});

describe('a listener', () => {
  test('hears that the feed is deaf once, and nothing of a feed that never listened', () => {
    const { sale, told } = followed();
    sale.goDeaf();
    sale.listen();
    sale.goDeaf();
    sale.goDeaf();
    expect(told).toEqual(['listening', 'deaf']);
  });

  test('hears nothing after it has left', () => {
    const { sale, told, leave } = followed();
    leave();
    sale.listen();
    sale.hear(change(1));
    sale.look(pulse(1));
    sale.goDeaf();
    expect(told).toEqual([]);
  });
});

describe('changes that wait for the next message', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('are asked for 25 ms after the last message, and after the subscription', () => {
    const { sale, told } = followed();
    const asked = () => told.filter(word => word === 'ask').length;
    sale.listen();
    jest.advanceTimersByTime(25);
    expect(asked()).toBe(1);
    sale.hear(change(1));
    jest.advanceTimersByTime(24);
    sale.hear(change(2));
    jest.advanceTimersByTime(24);
    expect(asked()).toBe(1);
    jest.advanceTimersByTime(1);
    expect(asked()).toBe(2);
    jest.advanceTimersByTime(10_000);
    expect(asked()).toBe(2);
    sale.hear(change(4));
    sale.stop();
    jest.advanceTimersByTime(10_000);
    expect(asked()).toBe(2);
  });

  test('are asked for by a comparison that finds some of them missing, unless the sale is deaf', () => {
    const { sale, told } = followed();
    sale.listen();
    sale.hear(change(1));
    sale.look(pulse(1));
    expect(told).not.toContain('ask');
    sale.look(pulse(2));
    expect(told).toContain('ask');
    sale.goDeaf();
    sale.look(pulse(3));
    expect(told.filter(word => word === 'ask')).toHaveLength(1);
    sale.stop();
  });
});

describe('the time without a listener', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('begins when the last one leaves, and ends with the next one', () => {
    const { sale, leave } = followed();
    const leaveToo = sale.add({ changed: () => {}, listening: () => {}, deaf: () => {} });
    leave();
    jest.advanceTimersByTime(5_000);
    expect(sale.idleMs).toBe(0);
    leaveToo();
    jest.advanceTimersByTime(5_000);
    expect(sale.idleMs).toBe(5_000);
    sale.add({ changed: () => {}, listening: () => {}, deaf: () => {} });
    expect(sale.idleMs).toBe(0);
  });
});

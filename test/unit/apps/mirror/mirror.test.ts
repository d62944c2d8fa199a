import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { Change } from '#core/redis/feed/changes.js';
import { Mirror } from '../../../../apps/api/mirror/mirror.js';

afterEach(() => {
  jest.restoreAllMocks();
});

const NOW_MS = 1_900_000_000_000;

/** A mirror of a sale without a free unit or room on standby. */
const soldOut = (wanted: Partial<ConstructorParameters<typeof Mirror>[0]> = {}) =>
  new Mirror({
    version: 1,
    free: 0,
    waiting: 0,
    standbyCap: 0,
    unpaidLimit: 0,
    state: 'open',
    opensAtMs: NOW_MS - 1_000,
    closesAtMs: NOW_MS + 3_600_000,
    announceAtMs: 0,
    verified: true,
    claims: 1,
    nowMs: NOW_MS,
    ...wanted,
  });

test('setting the clock of the machine to tomorrow closes no sale', () => {
  const mirror = soldOut();
  mirror.confirm({ version: 1, nowMs: NOW_MS, askedAtMs: performance.now() });
  const tomorrow = Date.now() + 24 * 3_600_000;
  jest.spyOn(Date, 'now').mockReturnValue(tomorrow);
  const change: Change = { version: 2, since: 2, published: 2, standbyCap: 0, state: 'open', buyers: [] };
  expect(mirror.apply(change)).toBe(true);
  expect(mirror.refusalOf('ann')).toBe('sold_out');
  expect(mirror.apply({ ...change, version: 3, since: 3, free: 1 })).toBe(true);
  expect(mirror.refusalOf('ann')).toBeUndefined();
});

test('a mirror that Redis has not confirmed for a second answers nothing', () => {
  const mirror = soldOut();
  expect(mirror.refusalOf('ann')).toBeUndefined();
  mirror.confirm({ version: 1, nowMs: NOW_MS, askedAtMs: performance.now() });
  expect(mirror.refusalOf('ann')).toBe('sold_out');
  // The process was stopped for a while, so its last message is old.
  const later = performance.now() + 1_500;
  jest.spyOn(performance, 'now').mockReturnValue(later);
  expect(mirror.refusalOf('ann')).toBeUndefined();
  mirror.confirm({ version: 1, nowMs: NOW_MS + 1_500, askedAtMs: later });
  expect(mirror.refusalOf('ann')).toBe('sold_out');
});

/** A mirror of a sold-out sale with `ann` as holder and `bob` on standby, confirmed just now. */
function confirmed(wanted: Partial<ConstructorParameters<typeof Mirror>[0]> = {}) {
  const mirror = soldOut({ standbyCap: 1, waiting: 1, ...wanted });
  mirror.setBuyer({ kind: 'claim', buyerId: 'ann', record: 'c1 1 queued - -' });
  mirror.setBuyer({ kind: 'joined', buyerId: 'bob' });
  const confirm = (version = 1) => mirror.confirm({ version, nowMs: NOW_MS, askedAtMs: performance.now() });
  confirm();
  return { mirror, confirm };
}

const change = (version: number, more: Partial<Change> = {}): Change => ({
  version,
  since: version,
  published: version,
  standbyCap: 1,
  state: 'open',
  buyers: [],
  ...more,
});

describe('a mirror refuses', () => {
  test('nobody who holds a claim or is on standby while the sale is sold out', () => {
    const { mirror } = confirmed();
    expect(['ann', 'bob', 'cem'].map(buyerId => mirror.refusalOf(buyerId))).toEqual([undefined, undefined, 'sold_out']);
  });

  test('everybody but holders once the sale is closed', () => {
    const { mirror } = confirmed({ state: 'closed' });
    expect(['ann', 'bob', 'cem'].map(buyerId => mirror.refusalOf(buyerId))).toEqual([undefined, 'closed', 'closed']);
  });

  test.each<[string, Parameters<typeof confirmed>[0]]>([
    ['with a free unit', { free: 1 }],
    ['with room on standby', { waiting: 0 }],
    ['that is paused', { state: 'paused' }],
    ['before it opens', { opensAtMs: NOW_MS + 60_000 }],
  ])('nobody from a sale %s', (_how, standing) => {
    expect(confirmed(standing).mirror.refusalOf('cem')).toBeUndefined();
  });

  test('nobody as sold out from the end of the sale on, until it has computed its refusal again', () => {
    const { mirror } = confirmed({ closesAtMs: NOW_MS + 400 });
    expect(mirror.refusalOf('cem')).toBe('sold_out');
    const later = performance.now() + 500;
    jest.spyOn(performance, 'now').mockReturnValue(later);
    expect(mirror.refusalOf('cem')).toBeUndefined();
    jest.restoreAllMocks();
    mirror.confirm({ version: 1, nowMs: NOW_MS + 500, askedAtMs: performance.now() });
    expect(mirror.refusalOf('cem')).toBe('closed');
  });

  test('from the opening of the sale on, without any other change, if it was made before', () => {
    const { mirror } = confirmed({ opensAtMs: NOW_MS + 400 });
    expect(mirror.refusalOf('cem')).toBeUndefined();
    mirror.confirm({ version: 1, nowMs: NOW_MS + 500, askedAtMs: performance.now() });
    expect(mirror.refusalOf('cem')).toBe('sold_out');
  });

  test('nobody while it is behind a version that Redis has reported', () => {
    const { mirror, confirm } = confirmed();
    confirm(2);
    expect(mirror.refusalOf('cem')).toBeUndefined();
    // An older report, which comes late, makes it no truer.
    confirm(1);
    expect(mirror.refusalOf('cem')).toBeUndefined();
    expect(mirror.apply(change(2))).toBe(true);
    expect(mirror.refusalOf('cem')).toBe('sold_out');
  });
});

describe('a change', () => {
  test('of a buyer counts from then on', () => {
    const { mirror } = confirmed();
    const buyers: Change['buyers'] = [
      { kind: 'claim', buyerId: 'ann', record: 'c1 1 cancelled - unpaid' },
      { kind: 'left', buyerId: 'bob' },
      { kind: 'joined', buyerId: 'cem' },
      { kind: 'claim', buyerId: 'dan', record: 'c2 1 queued - -' },
    ];
    mirror.apply(change(2, { buyers }));
    expect(['ann', 'bob', 'cem', 'dan'].map(buyerId => mirror.refusalOf(buyerId))).toEqual([
      'sold_out',
      'sold_out',
      undefined,
      undefined,
    ]);
  });

  test('that the mirror has already is a no-op', () => {
    const { mirror } = confirmed();
    mirror.apply(change(2));
    expect(mirror.apply(change(1, { free: 5 }))).toBe(true);
    expect(mirror.apply(change(2, { free: 5, state: 'unverified' }))).toBe(true);
    expect(mirror.refusalOf('cem')).toBe('sold_out');
  });

  test('after a missed one ends the mirror, and one of an unverified sale does', () => {
    expect(confirmed().mirror.apply(change(3))).toBe(false);
    expect(confirmed().mirror.apply(change(2, { state: 'unverified' }))).toBe(false);
  });

  test('of several versions is applied if none before it was missed, also if some are known already', () => {
    const joins = change(4, { since: 2, buyers: [{ kind: 'joined', buyerId: 'cem' }] });
    for (const known of [1, 2, 3]) {
      const { mirror } = confirmed();
      for (let version = 2; version <= known; version += 1) mirror.apply(change(version));
      expect(mirror.apply(joins)).toBe(true);
      expect([mirror.refusalOf('cem'), mirror.refusalOf('eve')]).toEqual([undefined, 'sold_out']);
    }
    expect(confirmed().mirror.apply({ ...joins, since: 3 })).toBe(false);
  });

  test('without counts leaves them, and with them replaces them', () => {
    const { mirror } = confirmed();
    mirror.apply(change(2, { state: 'paused' }));
    mirror.apply(change(3));
    expect(mirror.refusalOf('cem')).toBe('sold_out');
    mirror.apply(change(4, { waiting: 0 }));
    expect(mirror.refusalOf('cem')).toBeUndefined();
    mirror.apply(change(5, { waiting: 1, standbyCap: 2 }));
    expect(mirror.refusalOf('cem')).toBeUndefined();
    mirror.apply(change(6, { waiting: 2, standbyCap: 2 }));
    expect(mirror.refusalOf('cem')).toBe('sold_out');
  });
});

test('nobody is refused from memory while the sale is hidden', () => {
  for (const state of ['open', 'closed'] as const) {
    const mirror = soldOut({ state, announceAtMs: NOW_MS + 60_000 });
    mirror.confirm({ version: 1, nowMs: NOW_MS, askedAtMs: performance.now() });
    expect(mirror.refusalOf('cem')).toBeUndefined();
    mirror.confirm({ version: 1, nowMs: NOW_MS + 60_001, askedAtMs: performance.now() });
    expect(mirror.refusalOf('cem')).toBe(state === 'closed' ? 'closed' : 'sold_out');
  }
});

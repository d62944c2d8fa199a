import { expect, test } from '@jest/globals';
import type { Standing } from '#core/redis/sale/standing.js';
import { isWorthCopying } from '../../../../apps/api/mirror/copying.js';

/** A sale that sells now and is sold out. */
const SOLD_OUT: Standing = {
  version: 1,
  free: 0,
  waiting: 0,
  unpaidLimit: 0,
  standbyCap: 0,
  state: 'open',
  opensAtMs: 1,
  closesAtMs: 10,
  announceAtMs: 0,
  verified: true,
  claims: 5,
  nowMs: 5,
};

test.each<[string, Partial<Standing>]>([
  ['is sold out', {}],
  ['was closed with free units', { state: 'closed', free: 3 }],
  ['is over with free units', { nowMs: 10, free: 3 }],
  ['has four million buyers', { claims: 3_000_000, waiting: 1_000_000 }],
])('a sale is copied that %s', (_, standing) => expect(isWorthCopying({ ...SOLD_OUT, ...standing })).toBe(true));

test.each<[string, Partial<Standing>]>([
  ['has a unit to give', { free: 1 }],
  ['was not compared with Postgres', { verified: false }],
  ['has more than four million buyers with a claim', { claims: 4_000_001 }],
  ['has too many buyers with those on standby', { claims: 3_000_000, waiting: 1_000_001 }],
])('a sale is not copied that %s', (_, standing) => expect(isWorthCopying({ ...SOLD_OUT, ...standing })).toBe(false));

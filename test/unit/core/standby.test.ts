import { describe, expect, test } from '@jest/globals';
import { standbyFaults } from '#core/comparison/standby.js';
import type { Snapshot } from '#core/redis/sale/snapshot.js';
import type { ClaimStatus } from '#core/rules/claim.js';

/** The snapshot of a sale with `ann`, `bob` and `cem` on standby, by tickets 2, 3 and 7. */
function snapshot(wanted: Partial<Snapshot> = {}): Snapshot {
  return {
    units: 3,
    version: 1,
    generation: 1,
    latestGeneration: 1,
    runId: 'run',
    stock: [],
    claims: new Map(),
    outbox: new Map(),
    standby: ['ann', 'bob', 'cem'],
    tickets: [2, 3, 7],
    lastTicket: 7,
    standbyCap: 3,
    atMs: 10,
    ...wanted,
  };
}

const claimOf = (status: ClaimStatus) => new Map([['bob', { claimId: 'c1', unit: 1, status }]]);

test('a full standby with gaps between its tickets has no fault', () => {
  expect(standbyFaults(snapshot())).toEqual([]);
  expect(standbyFaults(snapshot({ standby: [], tickets: [], lastTicket: 0, standbyCap: 0 }))).toEqual([]);
});

describe('a fault of standby', () => {
  test.each(['queued', 'pending_payment', 'paid'] as const)('is a buyer whose claim is %s', status => {
    expect(standbyFaults(snapshot({ claims: claimOf(status) }))).toEqual([
      'I3 bob is in line and holds the claim of unit 1',
    ]);
  });

  test.each(['cancelled', 'rejected', 'refunded'] as const)('is no buyer whose claim is %s', status => {
    expect(standbyFaults(snapshot({ claims: claimOf(status) }))).toEqual([]);
  });

  test('is one buyer more than it has room for', () => {
    expect(standbyFaults(snapshot({ standbyCap: 2 }))).toEqual(['line: 3 are in a line for 2']);
  });

  test.each([
    ['given to nobody yet', [2, 3, 8], 'cem'],
    ['given twice', [2, 2, 7], 'bob'],
    ['of a later buyer', [3, 2, 7], 'bob'],
    ['below the first one', [0, 3, 7], 'ann'],
  ])('is a ticket %s', (_what, tickets, buyerId) => {
    expect(standbyFaults(snapshot({ tickets }))).toEqual([`line: no certain place in line: ${buyerId}`]);
  });
});

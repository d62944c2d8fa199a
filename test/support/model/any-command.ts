import fc from 'fast-check';
import * as buyers from './buyer-commands.js';
import * as sales from './sale-commands.js';

// Commands for every script of core/redis/lua but mark-registry, which is about the list of sales
// (test/integration/maintenance/reconcile), and those of draws (test/integration/draws/model). A new run of Redis, an opening window, full memory and keys of another type have
// their tests in test/integration/scripts.

/** Chooses a command; common ones come more often. */
export const anyCommand = fc.oneof(
  { arbitrary: buyers.claiming, weight: 8 },
  { arbitrary: buyers.releasing, weight: 6 },
  { arbitrary: buyers.recording, weight: 4 },
  { arbitrary: buyers.promoting, weight: 2 },
  { arbitrary: sales.switching, weight: 2 },
  { arbitrary: buyers.losing, weight: 2 },
  { arbitrary: buyers.restoring, weight: 3 },
  { arbitrary: buyers.regrabbing, weight: 2 },
  { arbitrary: buyers.explaining, weight: 2 },
  { arbitrary: buyers.recounting, weight: 1 },
  { arbitrary: buyers.reading, weight: 2 },
  { arbitrary: sales.reopening, weight: 6 },
  { arbitrary: sales.outwaiting, weight: 2 },
  { arbitrary: sales.buyingElsewhere, weight: 1 },
  { arbitrary: sales.restocking, weight: 1 },
  { arbitrary: buyers.leaving, weight: 1 },
  { arbitrary: sales.closing, weight: 1 },
);

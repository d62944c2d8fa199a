import fc from 'fast-check';
import * as buyers from './buyer-commands.js';
import * as sales from './sale-commands.js';

// What may be done to a sale, each as a script of core/redis/lua does it. One is not here: mark-registry is about the list of
// sales, and looks into none (integration/maintenance/reconcile). Nor is what needs another Redis or another time: a run id that
// changes, a window that opens, memory that is full, and keys of another type (integration/scripts/*).

export const anyCommand = fc.oneof(
  { arbitrary: buyers.claiming, weight: 8 },
  { arbitrary: buyers.releasing, weight: 6 },
  { arbitrary: buyers.recording, weight: 4 },
  { arbitrary: buyers.promoting, weight: 2 },
  { arbitrary: sales.switching, weight: 2 },
  { arbitrary: buyers.restoring, weight: 2 },
  { arbitrary: buyers.regrabbing, weight: 2 },
  { arbitrary: buyers.explaining, weight: 2 },
  { arbitrary: buyers.reading, weight: 2 },
  { arbitrary: sales.reopening, weight: 6 },
  { arbitrary: sales.outwaiting, weight: 2 },
  { arbitrary: sales.buyingElsewhere, weight: 1 },
  { arbitrary: sales.restocking, weight: 1 },
  { arbitrary: buyers.leaving, weight: 1 },
  { arbitrary: sales.closing, weight: 1 },
);

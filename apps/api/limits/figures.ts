import type { LimitKind } from '../http/limit-kind.js';
import type { Figure } from './limit.js';

/** A limit in figures for each kind. */
export type Figures = Readonly<Record<LimitKind, Figure>>;

/**
 * What one buyer may do at all API processes together. A person with five open tabs stays below. A page polls at most
 * every 400 ms while its order is placed, and opens a wait every 2.5 s on standby (apps/api/answers/poll.ts). A very
 * impatient person clicks 10 times a second, for a second or two. A script gains nothing by more.
 */
export const FIGURES: Figures = {
  clicks: { burst: 20, perSecond: 5 },
  polls: { burst: 20, perSecond: 10 },
  waits: { burst: 12, perSecond: 3 },
  orders: { burst: 10, perSecond: 2 },
  // A pass takes two requests, and a tab renews one every nine minutes. With 8 processes, each lets through two at once.
  passes: { burst: 16, perSecond: 1 },
};

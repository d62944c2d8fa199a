/**
 * The requests that are limited, each kind on its own. `clicks`: to buy. `polls`: for an order's status, answered at
 * once. `waits`: for the same, to be answered when there is news, or as a stream. `orders`: to pay or to cancel. `passes`: for a
 * pass. The limits themselves are in apps/api/limits, which stands above this folder: endpoint.ts names the kind of each call.
 */
export type LimitKind = 'clicks' | 'polls' | 'waits' | 'orders' | 'passes';

/** Counts the requests of each buyer. */
export interface LimitCheck {
  /**
   * Counts a request of a buyer.
   *
   * @throws PreparedProblem `too_many_requests` beyond the limit
   */
  check(kind: LimitKind, buyerId: string): void;
}

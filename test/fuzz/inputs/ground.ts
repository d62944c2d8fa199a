import type { Secrets } from './credential.js';

/** A server to which inputs are sent: nginx, an API at its own port, or the admin. */
export type Door = 'nginx' | 'api' | 'admin';

/** A route that a request may name. Parameters stand in braces: `/buy/{saleId}`. */
export interface Route {
  method: string;
  path: string;
}

/** The routes, ids and secrets that the requests of a run may use. */
export interface Ground {
  /** The routes behind each door. */
  routes: Readonly<Record<Door, readonly Route[]>>;
  /** Ids that exist behind each door: sales in several states, a buyer, an order. */
  ids: Readonly<Record<Door, readonly string[]>>;
  secrets: Secrets;
}

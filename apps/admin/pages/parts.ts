import type { SaleInRedis, SaleOverview } from '#core/operator/sale-overview.js';
import type { SalePhase } from '#core/rules/sale.js';
import { type Html, html } from './html.js';

const PHASES: Record<SalePhase, string> = {
  upcoming: 'upcoming',
  joining: 'joining',
  drawing: 'drawing',
  open: 'open',
  sold_out: 'sold out',
  paused: 'paused',
  closed: 'closed',
};

const REDIS_NOTES: Record<Exclude<SaleInRedis, 'ready'>, string> = {
  away: 'Redis does not answer. The sale gives out no units until it does.',
  not_loaded: 'The sale is not in Redis. A worker loads it within seconds, unless the sale ended long ago.',
  unverified: 'Redis was restarted. A worker compares the sale with Postgres, and the sale then opens again.',
};

/** Returns the phase of a sale, such as open or paused, as a small label. */
export function phaseBadge(phase: SalePhase): Html {
  return html`<span class="badge ${phase}">${PHASES[phase]}</span>`;
}

/** Returns a warning with the reason when a sale gives out no units because of Redis, else undefined. */
export function redisNote(inRedis: SaleInRedis): Html | undefined {
  return inRedis === 'ready' ? undefined : html`<p class="warn">${REDIS_NOTES[inRedis]}</p>`;
}

/**
 * Returns a bar that shows how many units of a sale have a live order, which keeps its unit. A `<meter>` needs no style
 * attribute; the console's Content-Security-Policy forbids those.
 */
export function stockBar({ units, orders, id }: SaleOverview): Html {
  const meter = (value: number, label: string) =>
    html`<meter min="0" max="${units}" value="${value}" aria-label="${label} of ${units} in ${id}"></meter>`;
  return html`<div class="bar">${meter(orders.live, 'units with a live order')}</div>`;
}

/**
 * Returns a time as text for people, in UTC like every time that the console shows.
 *
 * @param iso ISO 8601, in UTC
 */
export function moment(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

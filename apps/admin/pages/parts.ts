import type { SaleInRedis, SaleOverview } from '#core/operator/sale-overview.js';
import type { SalePhase } from '#core/rules/sale.js';
import { type Html, html } from './html.js';

const PHASES: Record<SalePhase, string> = {
  upcoming: 'upcoming',
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

/** Returns the phase of a sale as a small label. */
export function phaseBadge(phase: SalePhase): Html {
  return html`<span class="badge ${phase}">${PHASES[phase]}</span>`;
}

/** Returns a warning when the sale in Redis gives out no units. */
export function redisNote(inRedis: SaleInRedis): Html | undefined {
  return inRedis === 'ready' ? undefined : html`<p class="warn">${REDIS_NOTES[inRedis]}</p>`;
}

/** Returns a bar of the units with a live order. A `<meter>` needs no style attribute, which the page's policy forbids. */
export function stockBar({ units, orders, id }: SaleOverview): Html {
  const meter = (value: number, label: string) =>
    html`<meter min="0" max="${units}" value="${value}" aria-label="${label} of ${units} in ${id}"></meter>`;
  return html`<div class="bar">${meter(orders.live, 'units with a live order')}</div>`;
}

/** Returns a time for people, in UTC like every time in the operation of a sale. */
export function moment(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

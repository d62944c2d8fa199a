import type { SaleInRedis, SaleOverview } from '#core/operator/sale-overview.js';
import type { SalePhase } from '#core/rules/sale.js';
import { type Html, html } from '../html.js';

const PHASES: Record<SalePhase, string> = {
  upcoming: 'upcoming',
  open: 'open',
  sold_out: 'sold out',
  paused: 'paused',
  closed: 'closed',
};

const REDIS_NOTES: Record<Exclude<SaleInRedis, 'ready'>, string> = {
  away: 'Redis does not answer: the sale gives out nothing until it does.',
  not_loaded: 'The sale is not in Redis: a worker loads it within seconds, unless it ended long ago.',
  unverified: 'Redis was restarted: a worker compares the sale with Postgres, then it opens again by itself.',
};

/** @returns a phase as a small label */
export function phaseBadge(phase: SalePhase): Html {
  return html`<span class="badge ${phase}">${PHASES[phase]}</span>`;
}

/** @returns what is wrong with the sale in Redis; nothing when all is well */
export function redisNote(inRedis: SaleInRedis): Html | undefined {
  return inRedis === 'ready' ? undefined : html`<p class="warn">${REDIS_NOTES[inRedis]}</p>`;
}

/** @returns paid and live orders as a part of the units; without a style attribute, which the page's policy forbids */
export function stockBar({ units, orders, id }: SaleOverview): Html {
  const meter = (value: number, label: string) =>
    html`<meter min="0" max="${units}" value="${value}" aria-label="${label} of ${units} in ${id}"></meter>`;
  return html`<div class="bar">${meter(orders.live, 'units with a live order')}</div>`;
}

/** @returns a time for people, in UTC as everywhere in the operation of a sale */
export function moment(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

import type { Audit } from '#core/comparison/audit.js';
import type { SaleOverview } from '#core/operator/sale-overview.js';
import { formatMoney } from '#core/rules/money.js';
import { standbyCap, UNITS_MAX } from '#core/rules/sale.js';
import { type Content, type Html, html } from './html.js';
import { layout } from './layout.js';
import { moment, phaseBadge, redisNote, stockBar } from './parts.js';

/**
 * Seconds between two reloads of a sale's page that an operator watches live. Short enough to follow a sale, long
 * enough to cost the sale nothing.
 */
const LIVE_SECONDS = 3;

/** Seconds between two reloads of a page that waits for an audit. */
const AUDIT_SECONDS = 1;

const OPENINGS: Record<SaleOverview['opening'], string> = {
  rush: 'a rush: the first clicks',
  shuffle: 'a shuffle: lots at the opening',
  draw: 'a draw: lots at the opening',
};

interface View {
  /** Shows the forms that change the sale. */
  mayChange: boolean;
  /** Makes the page reload itself every LIVE_SECONDS, so that an operator can watch the sale. */
  live?: boolean;
  /** The result of an audit of this sale, or the share of it that is done, from 0 to 1. */
  audit?: Audit | number | undefined;
}

/** Returns the page of one sale: its counts, its settings, and, for operators who may use them, the forms that change it. */
export function salePage(sale: SaleOverview, { mayChange, live = false, audit }: View): Html {
  const path = `/sales/${sale.id}`;
  const watch = live
    ? html`<a class="button quiet" href="${path}">Stop watching</a>`
    : html`<a class="button quiet" href="${path}?live=1">Watch live</a>`;
  return layout(
    { title: sale.title, refreshSeconds: typeof audit === 'number' ? AUDIT_SECONDS : live ? LIVE_SECONDS : undefined },
    html`<div class="head"><h1 dir="auto">${sale.title}</h1>${phaseBadge(sale.phase)}</div>
<p class="actions"><a class="button quiet" href="${path}">Refresh</a>${watch}<a class="button" href="${path}/audit">Run the audit</a></p>
${redisNote(sale.inRedis)}
${typeof audit === 'number' && runningCard(audit)}${typeof audit === 'object' && auditCard(audit)}
${countsCard(sale)}
${mayChange && sale.state !== 'closed' && changesCard(sale, path)}
${factsCard(sale)}`,
  );
}

function runningCard(share: number): Html {
  return html`<section class="card" role="status"><h2>The audit runs</h2>
<p><progress max="1" value="${share}"></progress> ${Math.floor(100 * share)} %</p></section>`;
}

function auditCard({ ok, violations }: Audit): Html {
  const at = moment(new Date().toISOString());
  return html`<section class="card ${ok ? 'good' : 'broken'}" role="status">
<h2>${ok ? 'Every promise holds' : 'Promises are broken'}</h2>
${violations.length > 0 && html`<ul>${violations.map(violation => html`<li>${violation}</li>`)}</ul>`}
<p class="faint">Both stores compared, claim by claim, at ${at}</p></section>`;
}

function countsCard(sale: SaleOverview): Html {
  const { orders } = sale;
  const count = (name: string, value: Content) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<section class="card">${stockBar(sale)}<dl class="counts">
${count('Units', sale.units)}${count('Free', sale.free ?? '–')}${count('Standby', standbyCount(sale))}
${count('Not placed', sale.unplaced ?? '–')}${count('Live', orders.live)}${count('Paid', orders.paid)}
${count('Cancelled', orders.cancelled)}${count('Rejected', orders.rejected)}${count('Refunded', orders.refunded)}
</dl></section>`;
}

function standbyCount(sale: SaleOverview): string {
  const cap = standbyCap(sale);
  return cap === 0 ? '–' : `${sale.waiting ?? '–'} of ${cap}`;
}

/**
 * Returns the forms that change a sale. Closing can't be undone, so its button is hidden inside `<details>`: without a
 * script the page can't ask for confirmation.
 */
function changesCard(sale: SaleOverview, path: string): Html {
  const button = (action: string, text: string, look: string) =>
    html`<form method="post" action="${path}/${action}"><button class="${look}">${text}</button></form>`;
  const toggle = sale.state === 'paused' ? button('resume', 'Resume', '') : button('pause', 'Pause', 'quiet');
  return html`<section class="card"><h2>Change</h2><div class="actions">${toggle}
<form method="post" action="${path}/restock" class="restock"><input type="hidden" name="generation" value="${sale.generation}">
<label for="units">Add units</label><input id="units" name="units" type="number" min="1" max="${UNITS_MAX}" required inputmode="numeric">
<button class="quiet">Restock</button></form>
<details><summary>Close for good…</summary><p>A closed sale never opens again. Orders can still be paid.</p>
${button('close', 'Close the sale', 'danger')}</details></div></section>`;
}

function factsCard(sale: SaleOverview): Html {
  const fact = (name: string, value: Content) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<section class="card"><dl class="facts">
${fact('Id', html`<code>${sale.id}</code>`)}
${fact('Price', formatMoney(sale.priceMinor, sale.currency))}
${fact('Opening', OPENINGS[sale.opening])}
${sale.announceAt !== null && fact('Hidden until', moment(sale.announceAt))}
${sale.joinsAt !== null && fact('Joining begins', moment(sale.joinsAt))}
${fact('Opens', moment(sale.opensAt))}
${fact('Closes', moment(sale.closesAt))}
${fact('To be paid', sale.settlement === 'immediate' ? 'from the wallet, at once' : `within ${sale.payWithinSeconds} s, ${sale.provider}`)}
${sale.retryPayWithinSeconds !== undefined && fact('A unit that came back', `within ${sale.retryPayWithinSeconds} s`)}
${sale.coarseStock && fact('Visitors see', 'only roughly how many are free')}
${sale.provider !== 'wallet' && fact('Late money', sale.lateMoney === 'regrab' ? 'takes a unit again if one is free' : 'goes back')}
${fact('Standby', standbyCap(sale) === 0 ? 'none' : `up to ${standbyCap(sale)} buyers`)}
${fact('Ends without payment, at most', sale.unpaidLimit === 0 ? 'no limit' : sale.unpaidLimit)}
${fact('One purchase at a time', sale.onePurchaseAtATime ? 'yes' : 'no')}
${fact('Pause between purchases', sale.minSecondsBetweenPurchases === 0 ? 'none' : `${sale.minSecondsBetweenPurchases} s`)}
${fact('Changes so far', sale.generation - 1)}
</dl></section>`;
}

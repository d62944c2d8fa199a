import type { SaleOverview } from '#core/operator/sale-overview.js';
import { type Html, html } from './html.js';
import { layout } from './layout.js';
import { moment, phaseBadge, redisNote, stockBar } from './parts.js';

/**
 * Returns the page that lists the sales.
 *
 * @param sales the newest first
 */
export function salesPage(sales: SaleOverview[]): Html {
  const rows = sales.length > 0 ? html`<ul class="sales">${sales.map(row)}</ul>` : EMPTY;
  return layout(
    { title: 'Sales' },
    html`<div class="head"><h1>Sales</h1><a class="button quiet" href="/">Refresh</a></div>${rows}`,
  );
}

const EMPTY = html`<section class="card"><p>There are no sales yet. Make one:</p>
<pre>npm run cli -- sale create --id first --units 100 --price 1000</pre></section>`;

function row(sale: SaleOverview): Html {
  return html`<li class="card">
<div class="head"><h2 dir="auto"><a href="/sales/${sale.id}">${sale.title}</a></h2>${phaseBadge(sale.phase)}</div>
<p class="faint"><code>${sale.id}</code> · ${moment(sale.opensAt)} – ${moment(sale.closesAt)}${
    sale.announceAt !== null && html` · hidden until ${moment(sale.announceAt)}`
  }</p>
${stockBar(sale)}
<dl class="counts">
<div><dt>Units</dt><dd>${sale.units}</dd></div>
<div><dt>Free</dt><dd>${sale.free ?? '–'}</dd></div>
<div><dt>Live</dt><dd>${sale.orders.live}</dd></div>
<div><dt>Paid</dt><dd>${sale.orders.paid}</dd></div>
<div><dt>Standby</dt><dd>${sale.waiting ?? '–'}</dd></div>
<div><dt>Not placed</dt><dd>${sale.unplaced ?? '–'}</dd></div>
</dl>
${redisNote(sale.inRedis)}
</li>`;
}

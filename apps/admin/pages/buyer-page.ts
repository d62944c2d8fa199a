import type { StatementLine } from '#core/postgres/money/statement.js';
import type { Balance } from '#core/postgres/money/wallet.js';
import type { BuyerOrder } from '#core/postgres/orders/buyer-orders.js';
import { formatMoney } from '#core/rules/money.js';
import { type Content, type Html, html } from './html.js';
import { layout } from './layout.js';
import { moment } from './parts.js';

/** The content of the page about one buyer: wallet balances, wallet movements and orders. */
export interface BuyerMoney {
  buyerId: string;
  balances: Balance[];
  /** The movements of the buyer's wallet, the oldest first. */
  statement: StatementLine[];
  orders: BuyerOrder[];
}

/**
 * Returns the page of one buyer: wallet balances, orders with buttons to refund them, and wallet movements, the newest
 * first.
 *
 * @param view `mayChange`: whether the operator may refund; else the buttons are missing
 */
export function buyerPage(buyer: BuyerMoney, { mayChange }: { mayChange: boolean }): Html {
  const { buyerId, balances, statement, orders } = buyer;
  const amounts = balances.map(
    ({ currency, balanceMinor }) =>
      html`<div><dt>${currency}</dt><dd>${formatMoney(balanceMinor, currency)}</dd></div>`,
  );
  const rows = orders.map(order => orderRow(order, mayChange && order.status === 'paid' && refundForm(order)));
  return layout(
    { title: buyerId },
    html`<div class="head"><h1><code>${buyerId}</code></h1></div>
<section class="card"><h2>Wallet</h2>${balances.length > 0 ? html`<dl class="counts">${amounts}</dl>` : html`<p>No wallet.</p>`}</section>
<section class="card"><h2>Orders</h2>${orders.length > 0 ? rows : html`<p>No orders.</p>`}</section>
<section class="card"><h2>Statement</h2>${statementTable(statement)}</section>`,
  );
}

function orderRow(order: BuyerOrder, refund: Content): Html {
  const { orderId, saleId, unit, status, reason, amountMinor, currency, refundedMinor, placedAt } = order;
  return html`<div class="order"><p><a href="/sales/${saleId}">${saleId}</a> unit ${unit}: <strong>${status}</strong>
${reason ? html`(${reason})` : undefined} ${formatMoney(amountMinor, currency)}${refundedMinor > 0 && html`, ${formatMoney(refundedMinor, currency)} of it went back`} · ${moment(placedAt)}<br>
<code class="faint">${orderId}</code></p>${refund}</div>`;
}

/**
 * Returns the two refund buttons of an order, with and without returning its unit to stock, and the form for a part.
 * Only the operator knows whether the goods can be sold again.
 */
function refundForm({ orderId, amountMinor, refundedMinor, currency }: BuyerOrder): Html {
  const path = `/orders/${orderId}/refund`;
  const button = (restock: string, text: string) =>
    html`<form method="post" action="${path}"><input type="hidden" name="restock" value="${restock}"><button class="danger">${text}</button></form>`;
  const restMinor = amountMinor - refundedMinor;
  const field = html`<input type="hidden" name="refundedMinor" value="${refundedMinor}"><label>A part, in minor units of ${currency}
<input name="amountMinor" type="number" required min="1" max="${restMinor - 1}"></label>`;
  const part = html`<form method="post" action="${path}">${field}<button class="danger">Give a part back, the order stays paid</button></form>`;
  return html`<details><summary>Refund…</summary><p>The money goes back the way it came. What about the unit?</p>
<div class="actions">${button('yes', 'Refund, the unit returns to stock')}${button('no', 'Refund, the unit is gone')}</div>${restMinor > 1 && part}</details>`;
}

function statementTable(lines: StatementLine[]): Html {
  if (lines.length === 0) return html`<p>Nothing has moved yet.</p>`;
  const rows = lines
    .toReversed()
    .map(
      ({ at, kind, amountMinor, balanceMinor, currency, saleId }) =>
        html`<tr><td>${moment(at)}</td><td>${kind}</td><td>${saleId ?? '–'}</td><td>${formatMoney(amountMinor, currency)}</td><td>${formatMoney(balanceMinor, currency)}</td></tr>`,
    );
  return html`<table><thead><tr><th>When</th><th>What</th><th>Sale</th><th>Amount</th><th>Balance</th></tr></thead><tbody>${rows}</tbody></table>`;
}

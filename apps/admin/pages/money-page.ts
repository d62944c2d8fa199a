import type { DeadNotice } from '#core/postgres/deliveries/dead-notices.js';
import type { OddPayment, OpenDispute } from '#core/postgres/money/odd-payments.js';
import { formatMoney } from '#core/rules/money.js';
import { type Content, type Html, html } from './html.js';
import { layout } from './layout.js';
import { moment } from './parts.js';

/**
 * Returns the page that lists the payments and webhooks that an operator must look at.
 *
 * @param dead webhooks that the shop did not accept in any attempt
 * @param odd payments of another amount than requested, or with a refund that keeps failing
 * @param view `mayChange`: whether the operator may retry webhooks; else the buttons are missing
 */
export function moneyPage(dead: DeadNotice[], odd: OddPayment[], { mayChange }: { mayChange: boolean }): Html {
  const rows = dead.map(notice => deadRow(notice, mayChange && retry('Retry', notice.id)));
  return layout(
    { title: 'Money' },
    html`<div class="head"><h1>Money</h1><a class="button quiet" href="/money">Refresh</a></div>
<section class="card"><h2>A buyer</h2><form method="get" action="/buyers" class="restock">
<label for="id">Buyer</label><input id="id" name="id" required pattern="[!-~]{1,255}" autocomplete="off"><button class="quiet">Show</button></form></section>
<section class="card"><h2>Payments to look at</h2>${odd.length > 0 ? odd.map(oddRow) : html`<p>None: every payment is as it should be.</p>`}</section>
<section class="card"><h2>Webhooks that the shop did not accept</h2>
${dead.length > 0 ? html`${mayChange && retry('Retry all')}${rows}` : html`<p>None: every webhook was delivered, or is still being tried.</p>`}</section>`,
  );
}

function retry(text: string, id?: bigint): Html {
  const field = id !== undefined && html`<input type="hidden" name="id" value="${String(id)}">`;
  return html`<form method="post" action="/webhooks/retry">${field}<button class="quiet">${text}</button></form>`;
}

function deadRow({ kind, orderId, createdAt, attempts, lastError }: DeadNotice, again: Content): Html {
  return html`<div class="order"><p><strong>${kind}</strong> · ${moment(createdAt.toISOString())} · ${attempts} attempts: ${lastError ?? ''}<br>
<code class="faint">${orderId}</code></p>${again}</div>`;
}

function oddRow(payment: OddPayment): Html {
  const { buyerId, saleId, provider, paymentId, status, amountMinor, currency, mismatch, refundTries, orderId } =
    payment;
  const { takenCurrency, returnedMinor, wentBackWhole, disputes } = payment;
  const taken = mismatch ? html`The provider took something else: <code>${JSON.stringify(mismatch)}</code>` : undefined;
  return html`<div class="order"><p><a href="/buyers/${buyerId}">${buyerId}</a> in <a href="/sales/${saleId}">${saleId}</a>:
<strong>${status}</strong>, ${formatMoney(amountMinor, currency)} were asked for. ${taken}
${disputes.map(disputed)}
${wentBackWhole && html`All of it went back, and the order is still paid: refund it here, too, and say what becomes of the unit.`}
${returnedMinor > 0 && !wentBackWhole && html`${formatMoney(returnedMinor, takenCurrency)} went back.`}
${refundTries > 0 && html`The refund was tried ${refundTries} times.`}<br>
<code class="faint">${provider} ${paymentId ?? ''} · order ${orderId}</code></p></div>`;
}

function disputed({ disputeId, amountMinor, currency }: OpenDispute): Html {
  return html`A dispute withholds ${formatMoney(amountMinor, currency)}: answer <code>${disputeId}</code> at the provider. `;
}

import { ask } from './api.js';
import { clockOffset } from './clock.js';
import { next, startPurchase } from './purchase.js';
import { phaseOf, readSale, saleIdOf } from './sale.js';
import { texts } from './texts.js';
import { announce, listen, show } from './view.js';
import { recallVisit, rememberVisit } from './visit.js';

const TICK_MS = 200;
/** How often an open sale is read while the page is visible, in ms. */
const REFRESH_MS = 5_000;
/** After this long in the background, in ms, the page reads the sale again: the clock may have been set. */
const AWAY_MS = 30_000;

const saleId = saleIdOf(location);
const page = { sale: undefined, trouble: saleId ? undefined : 'none', offsetMs: 0, purchase: startPurchase() };
const nowMs = () => Date.now() + page.offsetMs;
const phase = () => page.sale && phaseOf(page.sale, nowMs());

function render() {
  show({ ...page, nowMs: nowMs() });
}

// The sale: read once before it opens, then every few seconds.

async function loadSale() {
  const askedAtMs = Date.now();
  const answer = await ask('sale', saleId);
  if (answer.ok) {
    const serverTimeMs = Date.parse(answer.body.serverTime);
    page.offsetMs = clockOffset({ serverTimeMs, ageSeconds: answer.ageSeconds, askedAtMs, answeredAtMs: Date.now() });
    page.sale = readSale(answer.body);
  } else {
    page.trouble = answer.status === 404 ? 'unknown' : 'unreachable';
  }
  refreshLater(answer);
  lookForOrder();
  render();
}

let refreshTimer = 0;

function refreshLater({ ok, status, retryAfterMs = 0 }) {
  clearTimeout(refreshTimer);
  const isWorthIt = ok ? phase() !== 'upcoming' && phase() !== 'closed' : status !== 404;
  if (isWorthIt) refreshTimer = setTimeout(refresh, Math.max(retryAfterMs, REFRESH_MS * (0.8 + Math.random() * 0.4)));
}

function refresh() {
  if (!document.hidden) void loadSale();
  else refreshLater({ ok: true });
}

// The purchase: one request to the server at a time.

let requestTimer = 0;
let requestNumber = 0;
let dueAtMs = Number.POSITIVE_INFINITY;
let runNow = () => {};
let inFlight = new AbortController();

function tell(event) {
  const following = next(page.purchase, event);
  if (!following) return;
  page.purchase = following.purchase;
  rememberVisit(saleId, page.purchase);
  send(following.request);
  render();
}

/** Schedules the next request and cancels the one before. */
function send(request) {
  clearTimeout(requestTimer);
  requestNumber += 1;
  // The old answer is stale, so the API need not wait for news any longer.
  inFlight.abort();
  inFlight = new AbortController();
  dueAtMs = Number.POSITIVE_INFINITY;
  if (!request) return;
  const waitMs = request.afterMs + Math.random() * request.spreadMs;
  dueAtMs = Date.now() + waitMs;
  const mine = requestNumber;
  runNow = () => void run(request, mine);
  requestTimer = setTimeout(runNow, waitMs);
}

async function run({ call, known }, mine) {
  clearTimeout(requestTimer);
  dueAtMs = Number.POSITIVE_INFINITY;
  const answer = await ask(call, saleId, { receipt: page.purchase.receipt, known, signal: inFlight.signal });
  // A later decision of the visitor has made this answer stale.
  if (mine !== requestNumber) return;
  if (call === 'buy') heed(answer);
  tell({ type: 'answer', call, answer });
}

/** Updates the sale from a refused click. */
function heed(answer) {
  if (!page.sale) return;
  if (answer.code === 'sold_out') page.sale.remaining = 0;
  if (answer.code !== 'not_open') return;
  if (answer.opensAt) page.sale.opensAtMs = Date.parse(answer.opensAt);
  void loadSale();
}

// Time passes, and the visitor comes and goes.

let shownPhase;

function tick() {
  const now = phase();
  if (shownPhase === 'upcoming' && now === 'open') {
    announce(texts.nowOpen);
    refreshLater({ ok: true });
  }
  shownPhase = now;
  render();
}

let hiddenAtMs = 0;

function comeAndGo() {
  if (document.hidden) {
    hiddenAtMs = Date.now();
    return;
  }
  // Browsers slow down the timers of hidden pages, so a request that is due is sent now.
  if (dueAtMs <= Date.now()) runNow();
  if (Date.now() - hiddenAtMs > AWAY_MS) void loadSale();
}

let hasLooked = false;

/**
 * Asks once for an order, if the visitor may have one. Before the sale opens, a waiting crowd sends no such requests.
 */
function lookForOrder() {
  if (hasLooked || !(page.purchase.clicked || page.sale)) return;
  hasLooked = true;
  if (page.purchase.clicked || phase() !== 'upcoming') tell({ type: 'load' });
}

function start() {
  page.purchase = startPurchase(recallVisit(saleId));
  listen(type => {
    tell({ type });
    render();
  });
  setInterval(tick, TICK_MS);
  document.addEventListener('visibilitychange', comeAndGo);
  void loadSale();
}

render();
if (saleId) start();

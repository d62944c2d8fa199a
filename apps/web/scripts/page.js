import { ask } from './api.js';
import { clockOffset } from './clock.js';
import { createCheck } from './draw/check.js';
import { NOT_YET, next, PASS_REFUSED, startPurchase } from './purchase.js';
import { phaseOf, readSale, saleIdOf } from './sale.js';
import { texts } from './texts.js';
import { announce, listen, show } from './view.js';
import { recallVisit, rememberVisit } from './visit.js';

const TICK_MS = 200;
/** How often the page reads an open sale from the API while the page is visible, in ms. */
const REFRESH_MS = 5_000;
/**
 * After this long in the background, in ms, the page reads the sale again: the visitor's clock may have been set
 * meanwhile.
 */
const AWAY_MS = 30_000;

const saleId = saleIdOf(location);
const page = { sale: undefined, trouble: saleId ? undefined : 'none', offsetMs: 0, purchase: startPurchase() };
const nowMs = () => Date.now() + page.offsetMs;
const phase = () => page.sale && phaseOf(page.sale, nowMs());

/** The keeper of the visitor's pass, and its loading; undefined for a sale without passes. */
let keeper;
let loadingKeeper;

const check = createCheck(saleId, () => render());

function render() {
  show({ ...page, pass: keeper?.state, checked: check.checked, nowMs: nowMs() });
}

/** Learns what is new about the sale's draw. A visitor who has clicked may have an entry in it. */
function followDraw() {
  const { sale, purchase } = page;
  const hasOpened = sale !== undefined && nowMs() >= sale.opensAtMs;
  void check.follow({ sale, hasOpened, mayHaveEntry: purchase.clicked || purchase.order.entry !== undefined });
}

// Reading the sale from the API: once before it opens, then every few seconds until it closes.

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
  followDraw();
  render();
}

let refreshTimer = 0;

function refreshLater({ ok, status, retryAfterMs = 0 }) {
  clearTimeout(refreshTimer);
  const isWorthIt = ok ? !['upcoming', 'joining', 'closed'].includes(phase() ?? '') : status !== 404;
  if (isWorthIt) refreshTimer = setTimeout(refresh, Math.max(retryAfterMs, REFRESH_MS * (0.8 + Math.random() * 0.4)));
}

function refresh() {
  if (!document.hidden) void loadSale();
  else refreshLater({ ok: true });
}

// Requests about the visitor's purchase: at most one at a time.

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

/** Schedules the purchase's next request. The earlier request, scheduled or in flight, is cancelled. */
function send(request) {
  clearTimeout(requestTimer);
  requestNumber += 1;
  // The answer to the earlier request would be stale. Aborting the request also ends the API's wait for news of the
  // order.
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
  const about = { receipt: page.purchase.receipt, known, signal: inFlight.signal };
  const needsPass = call === 'buy' && page.sale?.passesFromMs !== undefined;
  const answer = needsPass ? await buyWithPass(about) : await ask(call, saleId, about);
  // A later event, such as a click of the visitor, has replaced this request, so its answer is stale.
  if (mine !== requestNumber) return;
  if (call === 'buy') heed(answer);
  tell({ type: 'answer', call, answer });
}

// The visitor's pass, in a sale that needs one. It is worked for while the countdown runs.

async function loadKeeper() {
  loadingKeeper ??= import('./pass/keeper.js');
  const { createKeeper } = await loadingKeeper;
  keeper ??= createKeeper(saleId, { nowMs, changed: render });
  return keeper;
}

function followPass() {
  const { sale, purchase } = page;
  const isWanted = purchase.step === 'idle' && ['upcoming', 'joining', 'open'].includes(phase());
  // A visitor may count down in a tab behind another one.
  if (sale?.passesFromMs === undefined || !isWanted || (document.hidden && phase() !== 'upcoming')) return;
  if (nowMs() < sale.passesFromMs) return;
  loadKeeper().then(
    ({ follow }) => follow(sale.passesFromMs),
    () => {
      // It is loaded again for the next look, or for the click.
      loadingKeeper = undefined;
    },
  );
}

async function buyWithPass(about) {
  try {
    const keeper = await loadKeeper();
    const got = await keeper.ready();
    if (!got.ok) return got;
    const answer = await ask('buy', saleId, { ...about, pass: got.pass });
    if (PASS_REFUSED.includes(answer.code)) keeper.drop();
    return answer;
  } catch {
    loadingKeeper = undefined;
    return { ok: false, status: 0, code: 'offline', retryAfterMs: 0 };
  }
}

/** Updates the shown sale from the answer to a click: no units are left, or the sale opens later than shown. */
function heed(answer) {
  if (!page.sale) return;
  if (answer.code === 'sold_out') page.sale.remaining = 0;
  if (!NOT_YET.includes(answer.code)) return;
  if (answer.opensAt) page.sale.opensAtMs = Date.parse(answer.opensAt);
  if (answer.joinsAt) page.sale.joinsAtMs = Date.parse(answer.joinsAt);
  void loadSale();
}

// Timers, and the visitor who leaves the page and comes back to it.

const BEFORE_OPENING = ['upcoming', 'joining'];
let shownPhase;

function tick() {
  const now = phase();
  if (BEFORE_OPENING.includes(shownPhase) && now !== shownPhase) {
    announce(texts.begun[now] ?? '');
    refreshLater({ ok: true });
  }
  shownPhase = now;
  followPass();
  render();
}

let hiddenAtMs = 0;

function comeAndGo() {
  if (document.hidden) {
    hiddenAtMs = Date.now();
    return;
  }
  // Browsers slow down the timers of hidden pages. So a request that became due while the page was hidden is sent now.
  if (dueAtMs <= Date.now()) runNow();
  if (Date.now() - hiddenAtMs > AWAY_MS) void loadSale();
}

let hasLooked = false;

/**
 * Reads the status of the visitor's order once after the page has loaded. Before anybody may join or buy, it does so only after
 * an earlier click, so a waiting crowd sends no such requests.
 */
function lookForOrder() {
  if (hasLooked || !(page.purchase.clicked || page.sale)) return;
  hasLooked = true;
  if (page.purchase.clicked || phase() !== 'upcoming') tell({ type: 'load' });
}

function start() {
  page.purchase = startPurchase(recallVisit(saleId));
  listen(type => {
    if (type === 'check') void check.checkWhole();
    else tell({ type });
    render();
  });
  setInterval(tick, TICK_MS);
  document.addEventListener('visibilitychange', comeAndGo);
  void loadSale();
}

render();
if (saleId) start();

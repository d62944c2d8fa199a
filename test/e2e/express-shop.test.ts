import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { signBody } from '#core/payments/signature.js';
import { checkout } from '#core/process/checkout.js';
import { freePort } from '#stack/processes/free-port.js';
import { type GuardedProcess, startGuarded } from '#stack/processes/guarded-process.js';
import { eventually } from '../support/eventually.js';
import { createPage, launchBrowser, type WatchedPage } from '../support/http/browser.js';
import { SHOP_SECRET } from '../support/http/shop.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// examples/express-shop runs as its README describes: a separate process that talks to Dropline by HTTP only.

const PRICE_MINOR = 4_900;
const SALE_ID = 'drop-1';
const MINUTE_MS = 60_000;

let stack: TestStack;
let browser: Browser;
let shop: GuardedProcess;
let shopUrl: string;

beforeAll(async () => {
  const port = await freePort();
  shopUrl = `http://127.0.0.1:${port}`;
  const env = { SHOP_WEBHOOK_URL: `${shopUrl}/webhooks/dropline`, SHOP_WEBHOOK_SECRET: SHOP_SECRET };
  [stack, browser] = await Promise.all([startTestStack({ env }), launchBrowser()]);
  await stack.createSale({ id: SALE_ID, units: 1, standbyFactor: 0, priceMinor: PRICE_MINOR });
  shop = await startGuarded({
    command: process.execPath,
    args: ['examples/express-shop/shop.mjs'],
    cwd: checkout,
    environment: {
      AUTH_SECRET: stack.authSecret,
      SHOP_WEBHOOK_SECRET: SHOP_SECRET,
      DROPLINE_URL: stack.baseUrl,
      SALE_ID,
      SHOP_PORT: String(port),
    },
    output: 'pipe',
    stopSignal: 'SIGTERM',
    graceMs: 5_000,
  });
  await eventually(async () => expect((await fetch(shopUrl)).status).toBe(200));
});
afterAll(async () => {
  await browser?.close();
  await shop?.stop();
  await stack?.stop();
});

describe('the page of the example', () => {
  let visitor: WatchedPage;

  beforeEach(async () => {
    visitor = await createPage(browser);
  });
  afterEach(async () => {
    await visitor.context.close();
    expect(visitor.faults).toEqual([]);
  });

  async function logIn(name: string): Promise<void> {
    await visitor.page.goto(shopUrl);
    await visitor.page.getByLabel('Name').fill(name);
    await visitor.page.getByRole('button', { name: 'Log in' }).click();
  }

  const press = (name: string) => visitor.page.getByRole('button', { name }).click();
  const shows = (text: string) => visitor.page.getByText(text, { exact: true }).waitFor();

  test('a buyer logs in, buys and pays, and the shop gets webhooks', async () => {
    await stack.credit('ann', PRICE_MINOR);
    await logIn('ann');
    await press('Buy one');
    await shows('pending_payment');
    await shows('unit 1: order.placed');
    await press('Pay');
    await shows('paid');
    await shows('unit 1: order.paid');
    expect(await stack.status('ann', SALE_ID)).toMatchObject({ status: 'paid', unit: 1 });
  });

  test('the next buyer reads that all units are taken', async () => {
    await logIn('ben');
    await press('Buy one');
    await shows('All units are taken');
  });

  test('the login cookie is hidden from scripts, and valid for the shop’s own page only', async () => {
    await logIn('cid');
    await visitor.page.getByRole('button', { name: 'Buy one' }).waitFor();
    const cookies = await visitor.context.cookies();
    expect(cookies).toMatchObject([{ name: 'dropline_token', httpOnly: true, sameSite: 'Strict' }]);
    const headers = { cookie: `dropline_token=${stack.token('cid')}` };
    const foreign = await fetch(`${shopUrl}/buy/${SALE_ID}`, { method: 'POST', headers });
    expect(foreign.status).toBe(403);
  });
});

test('a buyer without a login is refused', async () => {
  const headers = { 'sec-fetch-site': 'same-origin' };
  const answer = await fetch(`${shopUrl}/buy/${SALE_ID}`, { method: 'POST', headers });
  expect(await answer.json()).toMatchObject({ status: 401, code: 'unauthenticated' });
});

const EVENT = JSON.stringify({ type: 'order.paid', data: { orderId: 'forged', buyerId: 'dora', unit: 1 } });
const CHANGED = EVENT.replace('dora', 'eve');
const now = Date.now();

test.each([
  ['without a signature', EVENT, {}],
  ['signed with another key', EVENT, { 'dropline-signature': signBody(['another key'], EVENT, now) }],
  ['changed after it was signed', CHANGED, { 'dropline-signature': signBody([SHOP_SECRET], EVENT, now) }],
  ['that is six minutes old', EVENT, { 'dropline-signature': signBody([SHOP_SECRET], EVENT, now - 6 * MINUTE_MS) }],
])('a webhook %s is refused', async (_how, body, headers) => {
  const answer = await fetch(`${shopUrl}/webhooks/dropline`, { method: 'POST', body, headers });
  expect(answer.status).toBe(400);
});

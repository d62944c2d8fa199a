import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page, Request, Route } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { createPage, launchBrowser, type WatchedPage } from '../support/http/browser.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { passDeadlines } from '../support/stores/by-hand.js';

// The page in a real browser, in front of real processes: a visitor clicks and reads what happens.

const PRICE_MINOR = 1_900;
/** The longest wait for one step, in ms. A step takes well under a second, and a busy machine needs the rest. */
const STEP_MS = 60_000;

let stack: TestStack;
let browser: Browser;
let visitor: WatchedPage;

beforeAll(async () => {
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

beforeEach(async () => {
  visitor = await createPage(browser);
  visitor.page.setDefaultTimeout(STEP_MS);
});
afterEach(() => leave(visitor));

/** Ends a visit, which must have had no fault. */
async function leave({ context, faults }: WatchedPage): Promise<void> {
  await context.close();
  expect(faults).toEqual([]);
}

/** Makes the visitor a signed-in buyer of the shop, with money. */
async function signIn(amountMinor: number): Promise<string> {
  const buyerId = `buyer-${randomUUID()}`;
  if (amountMinor > 0) await stack.credit(buyerId, amountMinor);
  const cookie = { name: 'dropline_token', value: stack.token(buyerId), url: stack.baseUrl, httpOnly: true };
  await visitor.context.addCookies([{ ...cookie, sameSite: 'Strict' }]);
  return buyerId;
}

/** Opens the page of a new sale. */
async function visit(sale: Parameters<TestStack['createSale']>[0]): Promise<string> {
  const saleId = await stack.createSale({ title: 'Aurora Kettle', priceMinor: PRICE_MINOR, ...sale });
  await visitor.page.goto(`${stack.baseUrl}/s/${saleId}`);
  return saleId;
}

/** Opens the page of a new sale of one unit, which another visitor has bought. */
async function visitAfterAnother(sale: { standbyFactor: number }): Promise<WatchedPage> {
  const other = await createPage(browser);
  const saleId = await visit({ units: 1, ...sale });
  await visitor.page.getByRole('button', { name: 'Buy now' }).waitFor();
  await other.page.goto(`${stack.baseUrl}/s/${saleId}`);
  await buy(other.page);
  await openWindow(other.page, 'Unit 1 is yours');
  return other;
}

const buyButton = (page: Page) => page.locator('#buy');
const openWindow = (page: Page, heading: string | RegExp) => page.getByRole('dialog', { name: heading }).waitFor();
const press = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

async function buy(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Buy now' }).click();
}

const overflowOf = (selector: string) =>
  `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('${selector}'))`;

const isWaiting = (request: Request) => request.headers().prefer === 'wait=20';

const buyCalls = () => visitor.calls.filter(call => call.startsWith('POST /buy/'));

describe('the path of a buyer', () => {
  test('leads from the countdown through the queue to a paid unit', async () => {
    const { page } = visitor;
    await signIn(PRICE_MINOR);
    const startedAt = performance.now();
    await visit({ units: 5 });
    await page.getByRole('button', { name: 'Buy now' }).waitFor();
    visitor.calls.splice(0);
    // The countdown lasts longer than this machine needs to show it.
    const opensInSeconds = 2 + Math.ceil((3 * (performance.now() - startedAt)) / 1_000);
    const saleId = await visit({ units: 5, opensInSeconds });
    await page.getByText('Opens in').waitFor();
    expect(await page.locator('#price').textContent()).toBe('€19.00');
    expect(await buyButton(page).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Buy now' }).waitFor();
    // Each visitor of a waiting crowd costs the API one cacheable answer.
    expect(visitor.calls).toEqual([`GET /sales/${saleId}`]);

    await buy(page);
    expect(await buyButton(page).isDisabled()).toBe(true);
    await openWindow(page, /You are in the queue|Unit \d is yours/);
    await openWindow(page, /Unit \d is yours/);
    await page.getByText('Time left').waitFor();
    await press(page, 'Pay');
    await openWindow(page, 'It’s yours');
    await page.getByText('Order number').waitFor();
    expect(await page.locator('#facts').textContent()).toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  });

  test('shows the queue until the order is placed', async () => {
    const { page } = visitor;
    await signIn(0);
    await visit({ units: 5 });
    // The answers about the status are held back, so the page shows the step after the click.
    await page.route('**/order-status/**', route => (buyCalls().length > 0 ? undefined : route.continue()));
    await buy(page);
    await openWindow(page, 'You are in the queue');
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  test('starts with one claim, after any number of clicks', async () => {
    const { page } = visitor;
    await signIn(0);
    await visit({ units: 5 });
    await page.getByRole('button', { name: 'Buy now' }).waitFor();
    await page.evaluate("for (let i = 0; i < 5; i += 1) document.getElementById('buy').click()");
    await openWindow(page, /Unit \d is yours/);
    expect(buyCalls()).toHaveLength(1);
  });

  test('makes a visitor without an account a guest, where the shop allows guests', async () => {
    const { page } = visitor;
    await visit({ units: 5 });
    await buy(page);
    await openWindow(page, /Unit \d is yours/);
    expect(visitor.calls).toContain('POST /guest-token');
  });

  test('needs no more than a keyboard', async () => {
    const { page } = visitor;
    await signIn(PRICE_MINOR);
    await visit({ units: 5 });
    await page.getByRole('button', { name: 'Buy now' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await openWindow(page, /Unit \d is yours/);
    await page.locator('#heading:focus').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await openWindow(page, 'It’s yours');
    await page.keyboard.press('Escape');
    await page.locator('#buy:focus').waitFor();
  });
});

describe('trouble', () => {
  test('a payment without enough money is refused, and works after topping up', async () => {
    const { page } = visitor;
    const buyerId = await signIn(PRICE_MINOR - 1);
    await visit({ units: 5 });
    await buy(page);
    await openWindow(page, /Unit \d is yours/);
    await press(page, 'Pay');
    await page.getByText('there is not enough money').waitFor();
    await stack.credit(buyerId, 1);
    await press(page, 'Pay');
    await openWindow(page, 'It’s yours');
  });

  test('a sold-out sale says so and lets the buyer try again', async () => {
    const { page } = visitor;
    await signIn(0);
    const other = await visitAfterAnother({ standbyFactor: 0 });
    await buyButton(page).click();
    await openWindow(page, 'All units are taken');
    await press(other.page, 'Give up my unit');
    await openWindow(other.page, 'Your order is cancelled');
    await press(page, 'Try again');
    await openWindow(page, 'Unit 1 is yours');
    await leave(other);
  });

  test('an unpaid unit goes back to the sale, and its buyer can start over', async () => {
    const { page } = visitor;
    await signIn(0);
    const saleId = await visit({ units: 1, standbyFactor: 0 });
    await buy(page);
    await openWindow(page, 'Unit 1 is yours');
    await passDeadlines(stack.connections, saleId);
    await openWindow(page, 'The time to pay is over');
    await press(page, 'Try again');
    await openWindow(page, 'Unit 1 is yours');
    expect(buyCalls()).toHaveLength(2);
  });

  test('a buyer on standby gets the unit that comes free', async () => {
    const { page } = visitor;
    await signIn(0);
    const first = await visitAfterAnother({ standbyFactor: 5 });
    await buyButton(page).click();
    await openWindow(page, 'You are number 1 in line');
    await press(first.page, 'Give up my unit');
    await page.getByText('A unit came free for you').waitFor();
    await openWindow(page, 'Unit 1 is yours');
    await leave(first);
  });

  test.each(['holds', 'breaks'])('a buyer on standby learns of the unit while the waiting request %s', async how => {
    const { page } = visitor;
    await signIn(0);
    const first = await visitAfterAnother({ standbyFactor: 5 });
    if (how === 'breaks') {
      const cutOff = (route: Route) => (isWaiting(route.request()) ? route.abort('connectionreset') : route.fallback());
      await page.route('**/order-status/**', cutOff);
    }
    const waiting = page.waitForRequest(isWaiting);
    await buyButton(page).click();
    await openWindow(page, 'You are number 1 in line');
    const request = await waiting;
    await press(first.page, 'Give up my unit');
    if (how === 'holds') expect(await (await request.response())?.json()).toMatchObject({ unit: 1 });
    await openWindow(page, 'Unit 1 is yours');
    await leave(first);
    // A connection that the test itself has cut is no fault of the page.
    const faults = visitor.faults.splice(0).filter(fault => !fault.endsWith('net::ERR_CONNECTION_RESET'));
    expect(faults).toEqual([]);
  });

  test('five tabs learn of the unit, and the one whose wait is replaced polls from then on', async () => {
    await signIn(0);
    const first = await visitAfterAnother({ standbyFactor: 5 });
    const { context, page } = visitor;
    const tabs = [page];
    /** The numbers of the tabs that made such requests. */
    const asked = { waits: [] as number[], polls: [] as number[], replaced: [] as number[] };
    const tabOf = (request: Request) => tabs.indexOf(request.frame().page());
    context.on('request', request => {
      if (request.url().includes('/order-status/')) asked[isWaiting(request) ? 'waits' : 'polls'].push(tabOf(request));
    });
    context.on('response', response => {
      const request = response.request();
      if (isWaiting(request) && !response.headers()['preference-applied']) asked.replaced.push(tabOf(request));
    });
    await buyButton(page).click();
    await eventually(() => expect(asked.waits).toEqual([0]), STEP_MS);
    while (tabs.length < 5) tabs.push(await context.newPage());
    await Promise.all(tabs.slice(1).map(tab => tab.goto(page.url())));
    await eventually(() => expect(asked.waits.toSorted()).toEqual([0, 1, 2, 3, 4]), STEP_MS);
    asked.polls.length = 0;
    await eventually(() => expect(asked.polls.length).toBeGreaterThanOrEqual(2), 2 * STEP_MS);
    // The other four wait, and nobody replaces them.
    expect({ polling: [...new Set(asked.polls)], replaced: asked.replaced }).toEqual({ polling: [0], replaced: [0] });
    await press(first.page, 'Give up my unit');
    await Promise.all(tabs.map(tab => openWindow(tab, 'Unit 1 is yours')));
    await leave(first);
  });

  test('a reload resumes at the step of the buyer', async () => {
    const { page } = visitor;
    await signIn(PRICE_MINOR);
    await visit({ units: 5 });
    await buy(page);
    await openWindow(page, /Unit \d is yours/);
    await page.reload();
    await openWindow(page, /Unit \d is yours/);
    await press(page, 'Pay');
    await openWindow(page, 'It’s yours');
    await page.reload();
    await openWindow(page, 'It’s yours');
    expect(buyCalls()).toHaveLength(1);
  });
});

describe('the page', () => {
  test.each([
    [320, 568],
    [412, 915],
    [1280, 800],
  ])('fits a screen of %i by %i', async (width, height) => {
    const { page } = visitor;
    await page.setViewportSize({ width, height });
    await signIn(0);
    await visit({ units: 5, title: `Kettle-${'x'.repeat(60)}` });
    await page.getByRole('button', { name: 'Buy now' }).waitFor();
    expect(await page.evaluate(overflowOf('html'))).toBe(0);
    await buy(page);
    await openWindow(page, /Unit \d is yours/);
    expect(await page.evaluate(overflowOf('html'))).toBe(0);
    expect(await page.evaluate(overflowOf('#window'))).toBe(0);
  });

  test('without a sale explains how to open one', async () => {
    await visitor.page.goto(`${stack.baseUrl}/`);
    await visitor.page.getByText('/s/name-of-the-sale').waitFor();
    expect(visitor.calls).toEqual(['GET /']);
  });
});

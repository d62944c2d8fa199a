import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { createPage, launchBrowser, type WatchedPage } from '../support/http/browser.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// The page of a sale that needs passes in a real browser, under its Content-Security-Policy: a worker does the work.

/** The longest wait for one step, in ms. A step takes some seconds, and a busy machine needs the rest. */
const STEP_MS = 60_000;

let stack: TestStack;
let browser: Browser;
let visitor: WatchedPage;

beforeAll(async () => {
  [stack, browser] = await Promise.all([startTestStack({ env: { GUEST_TOKENS: '1' } }), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

beforeEach(async () => {
  visitor = await createPage(browser);
  visitor.page.setDefaultTimeout(STEP_MS);
});
afterEach(async () => {
  await visitor.context.close();
  expect(visitor.faults).toEqual([]);
});

/** Opens the page of a new sale that needs passes, as a visitor who is signed in. */
async function visit(sale: Parameters<TestStack['createSale']>[0]): Promise<void> {
  const cookie = { name: 'dropline_token', value: stack.token(`buyer-${randomUUID()}`), url: stack.baseUrl };
  await visitor.context.addCookies([{ ...cookie, httpOnly: true, sameSite: 'Strict' }]);
  const saleId = await stack.createSale({ title: 'Aurora Kettle', needsPass: true, ...sale });
  await visitor.page.goto(`${stack.baseUrl}/s/${saleId}`);
}

const hint = (text: string | RegExp) => visitor.page.locator('#hint', { hasText: text }).waitFor();
const click = () => visitor.page.getByRole('button', { name: 'Buy now' }).click();
const won = () => visitor.page.getByRole('dialog', { name: /^Unit 1 is yours/ }).waitFor();
const callsOf = (path: string) => visitor.calls.filter(call => call.startsWith(`POST /${path}/`));

test('the page works while the countdown runs, and the click at the opening wins at once', async () => {
  await visit({ units: 1, passWork: 200, opensInSeconds: 15 });
  await hint('Your device is ready.');
  expect(callsOf('pass')).toHaveLength(2);
  await click();
  await won();
  expect([callsOf('pass').length, callsOf('buy').length]).toEqual([2, 1]);
});

test('a click that comes before the pass waits for it, and says so', async () => {
  let answer: () => void = () => undefined;
  const answering = new Promise<void>(resolve => {
    answer = resolve;
  });
  await visitor.page.route('**/pass/*', async route => {
    await answering;
    await route.continue();
  });
  await visit({ units: 1, passWork: 200 });
  await click();
  await hint(/^Your device is still getting ready/);
  expect(callsOf('buy')).toEqual([]);
  answer();
  await won();
  expect(callsOf('buy')).toHaveLength(1);
});

test('a guest gets a token before the pass', async () => {
  const saleId = await stack.createSale({ title: 'Aurora Kettle', needsPass: true, units: 1 });
  await visitor.page.goto(`${stack.baseUrl}/s/${saleId}`);
  await click();
  await won();
  expect(callsOf('buy')).toHaveLength(1);
});

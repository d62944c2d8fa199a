import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { createPage, launchBrowser } from '../support/http/browser.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// A visitor opens the page before the sale, and looks at it without a click.

/** The longest wait for one step, in ms. It only ends a test that fails. */
const STEP_MS = 60_000;
const REFRESHED_MS = 12_000;

/** Longer than the pause between two readings of an open sale (apps/web/scripts/page.js), in ms. */
const PAUSE_MS = 7_000;

let stack: TestStack;
let browser: Browser;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

test('from the opening on, the page shows what is left', async () => {
  const { page, context, faults, calls } = await createPage(browser);
  page.setDefaultTimeout(STEP_MS);
  await page.clock.install();
  // On a busy machine, creating the sale and showing the page take seconds each.
  const saleId = await stack.createSale({ units: 5, opensInSeconds: 15 });
  await page.goto(`${stack.baseUrl}/s/${saleId}`);
  await page.getByText('Opens in').waitFor();
  await page.getByRole('button', { name: 'Buy now' }).waitFor();
  expect(calls).toEqual([`GET /sales/${saleId}`]);
  // The page's clock may be some ms ahead of Redis's.
  for (const buyerId of ['ann', 'bob']) {
    await eventually(async () => expect((await stack.buy(buyerId, saleId)).status).toMatch(/queued|pending_payment/));
  }
  await page.clock.fastForward(PAUSE_MS);
  await page.getByText('3 of 5 left').waitFor({ timeout: REFRESHED_MS });
  await context.close();
  expect(faults).toEqual([]);
});

test('a page that was in the background for a moment shows what is left again', async () => {
  const { page, context, faults } = await createPage(browser);
  page.setDefaultTimeout(STEP_MS);
  await page.clock.install();
  const saleId = await stack.createSale({ units: 5 });
  await page.goto(`${stack.baseUrl}/s/${saleId}`);
  await page.getByText('5 of 5 left').waitFor();
  const become = (state: 'hidden' | 'visible') =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${state === 'hidden'} });
      document.dispatchEvent(new Event('visibilitychange'))`);
  await become('hidden');
  await page.clock.fastForward(PAUSE_MS);
  await become('visible');
  expect((await stack.buy('cleo', saleId)).status).toMatch(/queued|pending_payment/);
  await page.clock.fastForward(PAUSE_MS);
  await page.getByText('4 of 5 left').waitFor({ timeout: REFRESHED_MS });
  await context.close();
  expect(faults).toEqual([]);
});

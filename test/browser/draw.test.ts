import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { createSale } from '#core/operator/create-sale.js';
import { decideDraw } from '#core/postgres/draws/draws.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { eventually } from '../support/eventually.js';
import { createPage, launchBrowser, type WatchedPage } from '../support/http/browser.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// The page of a draw in a real browser, in front of real processes: a visitor joins, waits for the order, and checks it.

/** The longest wait for one step, in ms. A step takes well under a second, and a busy machine needs the rest. */
const STEP_MS = 60_000;
const MINUTE_MS = 60_000;

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
afterEach(async () => {
  await visitor.context.close();
  expect(visitor.faults).toEqual([]);
});

/** A busy machine takes seconds until a visitor has joined. */
const OPENS_IN_MS = 12_000;

/** Opens the page of a new draw. Three other buyers have joined it. */
async function visit(opensInMs: number, { joinsInMs = -MINUTE_MS, valueSource = '' } = {}): Promise<string> {
  const nowMs = Date.now();
  const times = { joinsAtMs: nowMs + joinsInMs, opensAtMs: nowMs + opensInMs, closesAtMs: nowMs + 30 * MINUTE_MS };
  const sale = ordinarySale({
    id: `draw-${randomUUID()}`,
    opening: 'draw',
    units: 1,
    title: 'Aurora Kettle',
    ...times,
  });
  await createSale(stack.connections, sale, valueSource === '' ? {} : { valueSource });
  if (joinsInMs < 0) for (const name of ['ann', 'ben', 'cem']) await stack.buy(`${name}-${sale.id}`, sale.id);
  await visitor.page.goto(`${stack.baseUrl}/s/${sale.id}`);
  return sale.id;
}

const openWindow = (page: Page, heading: string | RegExp) => page.getByRole('dialog', { name: heading }).waitFor();
const press = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

async function joinAndWait(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await openWindow(page, 'You have joined');
}

/** Waits until the visitor has a unit or a position, and opens the part "Check this draw". */
async function openCheck(page: Page): Promise<void> {
  await openWindow(page, /Unit 1 is yours|You are number \d in line/);
  await page.keyboard.press('Escape');
  await page.getByText('Check this draw').click();
}

describe('a visitor of a draw', () => {
  test('joins, gets a position or a unit, and has the own entry and the whole list checked', async () => {
    const { page } = visitor;
    await visit(OPENS_IN_MS);
    await joinAndWait(page);
    expect(await page.locator('#facts').textContent()).toMatch(/^Your number4Opens in0:[01]\d$/);
    await openWindow(page, 'The order is being made');
    await openCheck(page);
    await page.getByText('this draw has none').waitFor();
    await page.getByText('entry 4 is yours, and it is in the published list').waitFor();
    await page.getByRole('button', { name: 'Check the whole list' }).click();
    await page.getByText('the list has 4 entries, and is the one that was closed').waitFor();
    expect(await page.locator('#whole').textContent()).toMatch(/your entry is number [1-4] of 4 in the order/);
  });

  test('counts down to joining first', async () => {
    const { page } = visitor;
    await visit(10 * MINUTE_MS, { joinsInMs: 5_000 });
    await page.getByText('You may join in').waitFor();
    expect(await page.locator('#buy').isDisabled()).toBe(true);
    await joinAndWait(page);
    await page.reload();
    await openWindow(page, 'You have joined');
  });

  test('has the receipt in the next tab after closing one', async () => {
    const { page, context } = visitor;
    const saleId = await visit(10 * MINUTE_MS);
    await joinAndWait(page);
    await page.close();
    const next = await context.newPage();
    const asked = next.waitForRequest(/order-status\/.*receipt=entry\.4\./);
    await next.goto(`${stack.baseUrl}/s/${saleId}`);
    await asked;
    await openWindow(next, 'You have joined');
  });

  test('may leave, and has the same number after joining again', async () => {
    const { page } = visitor;
    await visit(10 * MINUTE_MS);
    await joinAndWait(page);
    await press(page, 'Leave the line');
    await openWindow(page, 'You left the line');
    await press(page, 'Try again');
    await openWindow(page, 'You have joined');
    expect(await page.locator('#facts').textContent()).toContain('Your number4');
  });

  test('reads which public value the order waits for, and that it depends on it', async () => {
    const { page } = visitor;
    const saleId = await visit(OPENS_IN_MS, { valueSource: 'the lottery of Friday' });
    await joinAndWait(page);
    await page.getByText('follows as soon as that is known: the lottery of Friday').waitFor();
    const value = { value: '4 8 15', isSubstitute: false };
    // The page knows the opening, and the worker still has to close the list.
    await eventually(async () => expect(await decideDraw(stack.connections.db, saleId, value)).toBe(true));
    await openCheck(page);
    await page.getByText('by a public value: the lottery of Friday. It was “4 8 15”').waitFor();
  });

  test('sees that an entry of the list was altered', async () => {
    const { page } = visitor;
    await page.route('**/entries/0', async route => {
      const response = await route.fetch();
      const body = Buffer.from(await response.body());
      body[50] = (body[50] ?? 0) ^ 1;
      await route.fulfill({ response, body });
    });
    await visit(OPENS_IN_MS);
    await joinAndWait(page);
    await openCheck(page);
    await page.getByRole('button', { name: 'Check the whole list' }).click();
    await page.getByText('the list is not the one that was closed').waitFor();
  });

  test('sees that the own proof was altered, without asking for it', async () => {
    const { page } = visitor;
    await page.route('**/proof', async route => {
      const response = await route.fetch();
      const proof = await response.json();
      await route.fulfill({ response, json: { ...proof, salt: '00'.repeat(16) } });
    });
    await visit(OPENS_IN_MS);
    await joinAndWait(page);
    await openWindow(page, /Unit 1 is yours|You are number \d in line/);
    await page.keyboard.press('Escape');
    await page.getByText('the proof for your entry does not fit the published list').waitFor();
  });
});

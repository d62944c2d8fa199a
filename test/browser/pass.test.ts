import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { createPage, launchBrowser, type WatchedPage } from '../support/http/browser.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// A sale that needs a pass, and asks for work first. The visitors are guests: each gets a token at the first call that needs one.

/** The longest wait for one step, in ms. It only ends a test that fails. */
const STEP_MS = 60_000;
const WORK = 50;

let stack: TestStack;
let browser: Browser;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

async function visit(sale: { opensInSeconds?: number }, prepare?: (page: Page) => Promise<unknown>) {
  const visitor = await createPage(browser);
  visitor.page.setDefaultTimeout(STEP_MS);
  const saleId = await stack.createSale({ units: 5, needsPass: true, passWork: WORK, ...sale });
  await prepare?.(visitor.page);
  await visitor.page.goto(`${stack.baseUrl}/s/${saleId}`);
  return { ...visitor, saleId };
}

const buy = (page: Page) => page.getByRole('button', { name: 'Buy now' }).click();
const win = (page: Page) => page.getByRole('dialog', { name: /Unit \d is yours/ }).waitFor();

async function leave({ context, faults }: WatchedPage): Promise<void> {
  await context.close();
  expect(faults).toEqual([]);
}

test('the page works for its pass while the countdown runs, and the first click is a claim', async () => {
  const visitor = await visit({ opensInSeconds: 15 });
  const { page, calls, saleId } = visitor;
  await page.getByText('Your pass is here').waitFor();
  await page.getByText('Opens in').waitFor();
  const asked = calls.filter(call => call === `POST /pass/${saleId}`);
  // A guest is refused first, and gets a token. Then there is a challenge, and a solution.
  expect(asked).toHaveLength(3);
  calls.splice(0);
  await buy(page);
  await win(page);
  expect(calls.filter(call => call.startsWith('POST'))).toEqual([`POST /buy/${saleId}`]);
  await leave(visitor);
});

test('a click before the pass is there waits for it, and the page says so', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>(resolve => {
    release = resolve;
  });
  const visitor = await visit({}, page =>
    page.route('**/pass/*', async route => {
      await held;
      await route.continue();
    }),
  );
  const { page, calls, saleId } = visitor;
  await page.getByText('We are getting your pass').waitFor();
  await buy(page);
  await page.getByRole('button', { name: 'One moment…' }).waitFor();
  expect(await page.locator('#hint').textContent()).toContain('We are getting your pass');
  expect(calls).not.toContain(`POST /buy/${saleId}`);
  release();
  await win(page);
  await leave(visitor);
});

test('a pass that the API refuses is replaced, and the page clicks again', async () => {
  const refusal = { status: 403, contentType: 'application/problem+json', body: '{"code":"pass_expired"}' };
  const visitor = await visit({}, page => page.route('**/buy/*', route => route.fulfill(refusal), { times: 1 }));
  const { page, calls, saleId } = visitor;
  await page.getByText('Your pass is here').waitFor();
  calls.splice(0);
  await buy(page);
  await win(page);
  expect(calls.filter(call => call.startsWith('POST'))).toEqual([
    `POST /buy/${saleId}`,
    `POST /pass/${saleId}`,
    `POST /pass/${saleId}`,
    `POST /buy/${saleId}`,
  ]);
  await leave(visitor);
});

test('a browser that cannot work for a pass says so after the click', async () => {
  const visitor = await visit({}, page =>
    page.addInitScript('delete globalThis.Worker; globalThis.Worker = class { constructor() { throw new Error() } }'),
  );
  const { page } = visitor;
  await buy(page);
  await page.getByRole('dialog', { name: 'There is no pass for you' }).waitFor();
  await leave(visitor);
});

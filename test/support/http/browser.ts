import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Names of the machine's own browser, because no package of the registry contains one. */
const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];

/** No sandbox, because tests run as root and in containers. No background requests: only the page uses the network. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A line that Chromium writes for each error answer of the API. Such an answer is no fault of the page. */
const REFUSAL = /^Failed to load resource: the server responded with a status of (401|403|409|410|429|503)/;

/**
 * Starts a headless Chromium. The caller closes the browser. It has shown a page: the first one starts processes, which takes seconds on
 * a busy machine, and some sales of tests open sooner.
 *
 * @throws when PATH has no browser, naming the package to install
 */
export async function launchBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
  const page = await browser.newPage();
  await page.goto('data:text/html,');
  await page.close();
  return browser;
}

function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = COMMANDS.flatMap(command => folders.map(folder => join(folder, command))).find(existsSync);
  if (!found) throw new Error(`no ${COMMANDS.join(', ')} on PATH: install the package chromium`);
  return found;
}

/** A page, with its faults and its requests. */
export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  /** Errors and warnings of the page: thrown errors, missing files, violations of the security policy. */
  faults: string[];
  /** Method and path of each request to the API, in order. */
  calls: string[];
}

/**
 * Creates an empty page with a browser profile of its own. The caller closes the context.
 *
 * @param size of the window, in CSS pixels; a small phone's by default
 */
export async function createPage(browser: Browser, size = { width: 360, height: 640 }): Promise<WatchedPage> {
  // Without a graphics card, Chromium draws a moving page by the processor, which the stores need.
  const context = await browser.newContext({ viewport: size, locale: 'en-GB', reducedMotion: 'reduce' });
  const page = await context.newPage();
  const watched: WatchedPage = { page, context, faults: [], calls: [] };
  page.on('pageerror', error => watched.faults.push(String(error)));
  page.on('console', message => {
    const isFault = message.type() === 'error' || message.type() === 'warning';
    if (isFault && !REFUSAL.test(message.text())) watched.faults.push(message.text());
  });
  page.on('request', request => {
    const { pathname } = new URL(request.url());
    if (!/^\/(assets|s)\//.test(pathname)) watched.calls.push(`${request.method()} ${pathname}`);
  });
  return watched;
}

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** The machine's own browser: no package of the registry contains one. */
const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];

/** Quiet and without a sandbox, as tests run as root and in containers, and nothing but the page may use the network. */
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

/** What Chromium itself writes for every refusal of the API, 401 and 409 among them: answers, not faults of the page. */
const REFUSAL = /^Failed to load resource: the server responded with a status of (401|403|409|410|429|503)/;

/**
 * @returns a headless Chromium; close it
 * @throws when there is none on PATH, saying what to install
 */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: findChromium(), args: FLAGS });
}

function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = COMMANDS.flatMap(command => folders.map(folder => join(folder, command))).find(existsSync);
  if (!found) throw new Error(`no ${COMMANDS.join(', ')} on PATH: install the package chromium`);
  return found;
}

/** A page, and what went wrong on it. */
export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  /** Errors and warnings of the page: scripts that threw, files that are missing, what the security policy stopped. */
  faults: string[];
  /** Method and path of each request to the API, in their order. */
  calls: string[];
}

/**
 * Opens a visitor's page, in a browser profile of its own.
 *
 * @param browser where
 * @param size of the window, in CSS pixels; a small phone's unless told
 * @returns the page, still empty; close its context
 */
export async function openPage(browser: Browser, size = { width: 360, height: 640 }): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: size, locale: 'en-GB' });
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

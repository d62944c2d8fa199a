import { afterAll, beforeAll } from '@jest/globals';
import { type StackProcess, startProcess } from '#stack/processes/process.js';
import { build } from '../build.js';
import type { TestStores } from '../stores/stores.js';

export const AUTH_SECRET = 'a secret of the test, and long enough';
export const ADMIN_TOKEN = 'the token of the operator';

/** What a browser asks for, and what a program sends. */
export const HTML = { accept: 'text/html' };
export const BEARER = { authorization: `Bearer ${ADMIN_TOKEN}` };

const START_MS = 30_000;
const LISTENING = /"port":(\d+).*"msg":"listening"/;

/** The admin as its own process, on the stores of one test file. */
export interface TestAdmin {
  url: string;
  /** What the browser of an operator sends who is logged in. */
  browser: { accept: string; cookie: string };
  /** Asks as `headers` say, and follows no redirect. */
  ask(path: string, headers?: Record<string, string>, init?: RequestInit): Promise<Response>;
  /** @returns the address of one more, with other settings */
  startAnother(settings?: Record<string, string>): Promise<string>;
}

/**
 * Starts an admin before the tests of the file that calls it, and ends it after.
 *
 * @param stores where it looks
 * @returns the admin; it is there once the tests run
 */
export function useAdmin(stores: TestStores): TestAdmin {
  const started: StackProcess[] = [];
  const admin: TestAdmin = {
    url: '',
    browser: { ...HTML, cookie: '' },
    ask: (path, headers = {}, init = {}) => fetch(admin.url + path, { redirect: 'manual', headers, ...init }),
    async startAnother(settings = {}) {
      const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL } = stores;
      const own = { REDIS_URL, DATABASE_URL, AUTH_SECRET, ADMIN_TOKEN, ADMIN_PORT: '0' };
      const environment = { ...own, ...settings };
      const ready = { prints: LISTENING };
      const process = await startProcess({ name: 'admin', environment, ready, readyWithinMs: START_MS });
      started.push(process);
      return `http://127.0.0.1:${LISTENING.exec(process.output())?.[1]}`;
    },
  };
  beforeAll(async () => {
    await build();
    admin.url = await admin.startAnother();
    const answer = await logIn(admin.url, ADMIN_TOKEN);
    admin.browser.cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  });
  afterAll(() => Promise.all(started.map(process => process.stop())));
  return admin;
}

/**
 * @param at the address of an admin
 * @param token what is typed in
 * @param headers a browser's unless told
 * @returns the answer
 */
export function logIn(at: string, token: string, headers: Record<string, string> = HTML): Promise<Response> {
  return fetch(`${at}/login`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams({ token }) });
}

import { afterAll, beforeAll, expect } from '@jest/globals';
import { type StackProcess, startProcess } from '#stack/processes/process.js';
import { build } from '../build.js';
import { eventually } from '../eventually.js';
import type { TestStores } from '../stores/stores.js';

/** The secret of the buyers' tokens. */
export const AUTH_SECRET = 'a secret of the test, and long enough';
/** The token that lets an operator in. */
export const ADMIN_TOKEN = 'the token of the operator';

/** The header of a browser that asks for a page. */
export const HTML = { accept: 'text/html' };
/** The header of a program that acts for an operator. */
export const BEARER = { authorization: `Bearer ${ADMIN_TOKEN}` };

const LISTENING = /"port":(\d+).*"msg":"listening"/;

/** An admin process on the stores of one test file. */
export interface TestAdmin {
  url: string;
  /** The headers of a browser in which an operator is logged in. */
  browser: { accept: string; cookie: string };
  /** Sends a request, and follows no redirect. */
  ask(path: string, headers?: Record<string, string>, init?: RequestInit): Promise<Response>;
  /** Returns the end of the first admin's log. */
  log(): string;
  /** Starts a second admin with other settings, and returns its address. */
  startAnother(settings?: Record<string, string>): Promise<string>;
}

/**
 * Starts an admin before the tests of the calling file, and stops it afterwards.
 *
 * @param settings those of this admin besides the usual ones
 * @returns the admin, usable once the tests run
 */
export function useAdmin(stores: TestStores, settings: Record<string, string> = {}): TestAdmin {
  const started: StackProcess[] = [];
  const admin: TestAdmin = {
    url: '',
    browser: { ...HTML, cookie: '' },
    ask: (path, headers = {}, init = {}) => fetch(admin.url + path, { redirect: 'manual', headers, ...init }),
    log: () => started[0]?.output() ?? '',
    async startAnother(others = {}) {
      const { redisUrl: REDIS_URL, databaseUrl: DATABASE_URL } = stores;
      const own = { REDIS_URL, DATABASE_URL, AUTH_SECRET, ADMIN_TOKEN, ADMIN_PORT: '0' };
      const environment = { ...own, ...others };
      const ready = { prints: LISTENING };
      const process = await startProcess({ name: 'admin', environment, ready });
      started.push(process);
      return `http://127.0.0.1:${LISTENING.exec(process.output())?.[1]}`;
    },
  };
  beforeAll(async () => {
    await build();
    admin.url = await admin.startAnother(settings);
    await eventually(async () => expect((await admin.ask('/readyz')).status).toBe(200));
    admin.browser.cookie = cookieOf(await logIn(admin.url, ADMIN_TOKEN));
  });
  afterAll(() => Promise.all(started.map(process => process.stop())));
  return admin;
}

/** Returns the cookie that an answer sets, as a browser sends it back. */
export function cookieOf(answer: Response): string {
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

/**
 * Sends the login form.
 *
 * @param at the address of an admin
 * @param headers those of a browser by default
 */
export function logIn(at: string, token: string, headers: Record<string, string> = HTML): Promise<Response> {
  return fetch(`${at}/login`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams({ token }) });
}

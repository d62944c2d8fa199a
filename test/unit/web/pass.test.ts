import { beforeEach, describe, expect, test } from '@jest/globals';
import { cardOf } from '../../../apps/web/scripts/card.js';
import { createKeeper } from '../../../apps/web/scripts/pass/keeper.js';
import { startPurchase } from '../../../apps/web/scripts/purchase.js';
import { readSale } from '../../../apps/web/scripts/sale.js';
import { did, from, refuses, through } from './purchase-events.js';

const FROM_MS = 1_000_000;
const MINUTE_MS = 60_000;
const LIFE_MS = 12 * MINUTE_MS;

let nowMs: number;
/** The calls of the API so far. */
let calls: string[];
/** The next answers by call; a pass by default. */
let answers: Record<string, unknown[]>;
let solved: unknown[];

const failure = (status: number, code = '', retryAfterMs = 0) => ({ ok: false, status, code, retryAfterMs });
const success = (body: object) => ({ ok: true, body, ageSeconds: 0, waits: true });
const aPass = () => success({ pass: `pass-${calls.length}`, expires: new Date(nowMs + LIFE_MS).toISOString() });

async function ask(call: string, _saleId: string, about: { body?: object } = {}): Promise<never> {
  calls.push(about.body ? `${call} ${JSON.stringify(about.body)}` : call);
  return (answers[call]?.shift() ?? aPass()) as never;
}

const keeperOf = ({ random = 0.5, computes = true } = {}) =>
  createKeeper('drop', {
    nowMs: () => nowMs,
    changed: () => undefined,
    random: () => random,
    parts: {
      ask,
      solve: async challenge => {
        solved.push(challenge);
        return computes ? 'solution' : undefined;
      },
    },
  });

/** Lets what was begun end. */
const comeToRest = () => new Promise(resolve => setImmediate(resolve));

beforeEach(() => {
  nowMs = FROM_MS - MINUTE_MS;
  calls = [];
  answers = {};
  solved = [];
});

describe('the pass of a visitor', () => {
  test('is fetched at a random time in the first minute, once, and a click finds it', async () => {
    const keeper = keeperOf();
    const times: number[] = [];
    for (; nowMs < FROM_MS + 2 * MINUTE_MS; nowMs += 1_000) {
      keeper.follow(FROM_MS);
      await comeToRest();
      if (calls.length === 1 && times.length === 0) times.push(nowMs);
    }
    expect([times, calls]).toEqual([[FROM_MS + 30_000], ['pass']]);
    expect(keeper.state.step).toBe('ready');
    expect(await keeper.ready()).toEqual({ ok: true, pass: 'pass-1' });
  });

  test('is fetched at once by a visitor who comes later', async () => {
    nowMs = FROM_MS + MINUTE_MS;
    keeperOf({ random: 0.99 }).follow(FROM_MS);
    await comeToRest();
    expect(calls).toEqual(['pass']);
  });

  test('is fetched by a click that comes before', async () => {
    expect(await keeperOf().ready()).toEqual({ ok: true, pass: 'pass-1' });
  });

  test('is fetched once for several clicks at a time', async () => {
    const keeper = keeperOf();
    await Promise.all([keeper.ready(), keeper.ready()]);
    expect(calls).toEqual(['pass']);
  });

  test('is renewed a minute before its end, and used until then', async () => {
    const keeper = keeperOf();
    await keeper.ready();
    nowMs += LIFE_MS - MINUTE_MS - 1;
    keeper.follow(FROM_MS);
    await comeToRest();
    expect(calls).toHaveLength(1);
    nowMs += 1;
    expect(await keeper.ready()).toMatchObject({ pass: 'pass-1' });
    keeper.follow(FROM_MS);
    await comeToRest();
    expect(await keeper.ready()).toMatchObject({ pass: 'pass-2' });
  });

  test('is another one after the API has refused it', async () => {
    const keeper = keeperOf();
    await keeper.ready();
    keeper.drop();
    expect(await keeper.ready()).toMatchObject({ pass: 'pass-2' });
  });

  test('costs the work that the API asks for', async () => {
    const challenge = { parameters: { data: { tries: 10 } } };
    answers.pass = [success({ challenge })];
    expect(await keeperOf().ready()).toMatchObject({ ok: true });
    expect([calls, solved]).toEqual([['pass', 'pass {"solution":"solution"}'], [challenge]]);
  });

  test('is out of reach of a browser that can not do the work', async () => {
    answers.pass = [success({ challenge: {} })];
    expect(await keeperOf({ computes: false }).ready()).toMatchObject({ ok: false, code: 'no_work' });
  });

  test('makes a visitor without an account a guest, once', async () => {
    answers.pass = [failure(401), failure(401)];
    const keeper = keeperOf();
    expect(await keeper.ready()).toMatchObject({ ok: false, status: 401 });
    expect(calls).toEqual(['pass', 'token', 'pass']);
    await keeper.ready();
    expect(calls).toEqual(['pass', 'token', 'pass', 'pass']);
  });

  test.each([
    ['no network', failure(0, 'offline'), 7_500],
    ['a busy API', failure(503, 'overloaded', 10_000), 15_000],
    ['an API that is early', failure(403, 'pass_too_early', 20_000), 30_000],
    ['a sale that is over', failure(410, 'sale_closed'), undefined],
    ['no sign-in', failure(401, 'unauthenticated'), undefined],
  ])('after %s is asked for again when that makes sense', async (_, answer, afterMs) => {
    answers = { pass: [answer, answer], token: [failure(404)] };
    const keeper = keeperOf({ random: 0.5 });
    nowMs = FROM_MS + 30_000;
    keeper.follow(FROM_MS);
    await comeToRest();
    const failedAtMs = nowMs;
    const asked = calls.length;
    while (calls.length === asked && nowMs < failedAtMs + MINUTE_MS) {
      nowMs += 500;
      keeper.follow(FROM_MS);
      await comeToRest();
    }
    expect(calls.length > asked ? nowMs - failedAtMs : undefined).toBe(afterMs);
  });
});

describe('a click', () => {
  const buying = () => through(did('click'));

  test.each(['pass_required', 'bad_pass', 'pass_expired', 'bad_solution'])(
    '%s: is sent again with another pass',
    code => {
      const { purchase, request } = from(buying().purchase, refuses('buy', 403, code));
      expect([purchase.step, request?.call]).toEqual(['buying', 'buy']);
    },
  );

  test('with a refused pass is not sent again without end', () => {
    const events = Array.from({ length: 6 }, () => refuses('buy', 403, 'bad_pass'));
    expect(from(buying().purchase, ...events).purchase).toMatchObject({ step: 'ended', end: 'unavailable' });
  });

  test.each(['pass_early', 'pass_too_early'])('%s: is too early, and the visitor reads so', code => {
    expect(from(buying().purchase, refuses('buy', 403, code)).purchase).toMatchObject({
      step: 'idle',
      notice: 'not_open',
    });
  });

  test('in a browser that can not compute ends with the reason', () => {
    expect(from(buying().purchase, refuses('buy', 403, 'no_work')).purchase).toMatchObject({ end: 'no_work' });
  });
});

describe('the page', () => {
  const sale = readSale({
    title: 'Kettle',
    priceMinor: 1_900,
    currency: 'EUR',
    units: 2,
    remaining: 1,
    state: 'upcoming',
    opensAt: '2030-01-01T00:00:00Z',
    closesAt: '2030-01-02T00:00:00Z',
    needsPass: true,
    passesFrom: '2029-12-31T23:58:00Z',
  });
  const hintOf = (
    pass: { step: 'none' | 'working' | 'ready'; share: number },
    purchase = startPurchase(),
    laterMs = -1,
  ) => cardOf({ sale, nowMs: sale.opensAtMs + laterMs, purchase, pass }).hint;

  test('reads when passes are given, and only in a sale that needs them', () => {
    expect(sale.passesFromMs).toBe(sale.opensAtMs - 2 * MINUTE_MS);
    const { passesFromMs: _, ...plain } = sale;
    expect(readSale({ ...plain, needsPass: false }).passesFromMs).toBeUndefined();
  });

  test('says in words how far the device is, and that nothing is to be done', () => {
    expect(hintOf({ step: 'working', share: 0 })).toBe('Your device is getting ready. There is nothing for you to do.');
    expect(hintOf({ step: 'working', share: 0.25 })).toContain(', 25 % done.');
    expect(hintOf({ step: 'ready', share: 0 })).toBe('Your device is ready.');
    expect(hintOf({ step: 'none', share: 0 })).toBe('');
    expect(hintOf({ step: 'ready', share: 0 }, startPurchase(), 0)).toBe('');
  });

  test('tells a visitor whose click waits for the pass, and prefers the outcome of the last click', () => {
    const { purchase } = through(did('click'));
    expect(hintOf({ step: 'working', share: 0.5 }, purchase, 0)).toBe(
      'Your device is still getting ready, 50 % done. Then your click goes out by itself.',
    );
    const busy = { ...purchase, notice: 'busy' };
    expect(hintOf({ step: 'working', share: 0.5 }, busy, 0)).toContain('busy');
  });
});

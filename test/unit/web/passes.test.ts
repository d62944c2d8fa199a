import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Passes } from '../../../apps/web/scripts/pass/passes.js';

const OPENS_AT_MS = 1_800_000_000_000;
const LIFE_MS = 600_000;
const SALE = { opensAtMs: OPENS_AT_MS };

let nowMs: number;
let answers: Record<string, unknown>[];
let calls: string[];
let realFetch: typeof fetch;

beforeEach(() => {
  nowMs = OPENS_AT_MS - 3_600_000;
  answers = [];
  calls = [];
  realFetch = globalThis.fetch;
  globalThis.fetch = (async (path: string, { body }: RequestInit) => {
    calls.push(`${path}${body ? ` ${body}` : ''}`);
    const { status = 200, ...rest } = answers.shift() ?? { status: 503 };
    return new Response(JSON.stringify(rest), { status: Number(status) });
  }) as typeof fetch;
});
afterEach(() => {
  globalThis.fetch = realFetch;
  jest.restoreAllMocks();
});

const passUntil = (untilMs: number) => ({ pass: `pass-${untilMs}`, validUntil: new Date(untilMs).toISOString() });

const passes = (solve = async (): Promise<string | undefined> => 'solved') =>
  new Passes('x', { nowMs: () => nowMs, onChange: () => undefined, solve });

/** Lets everything happen that is under way. */
const quiet = () => new Promise(resolve => setTimeout(resolve, 20));

describe('a pass is asked for', () => {
  test.each([
    ['a minute before the opening', 0, OPENS_AT_MS - 60_000],
    ['or some seconds later, so that a crowd does not ask at once', 0.999, OPENS_AT_MS - 35_025],
  ])('%s', async (_, random, atMs) => {
    jest.spyOn(Math, 'random').mockReturnValue(random);
    const mine = passes();
    answers = [passUntil(OPENS_AT_MS + LIFE_MS)];
    nowMs = atMs - 1;
    mine.follow(SALE);
    await quiet();
    expect(calls).toEqual([]);
    nowMs = atMs;
    mine.follow(SALE);
    mine.follow(SALE);
    await quiet();
    expect(calls).toEqual(['/pass/x']);
    expect(mine.state).toBe('ready');
  });

  test('before joining begins, in a sale with a line', async () => {
    const mine = passes();
    nowMs = OPENS_AT_MS - 1_800_000;
    mine.follow({ ...SALE, joinsAtMs: OPENS_AT_MS - 1_800_000 });
    await quiet();
    expect(calls).toEqual(['/pass/x']);
  });

  test('again a minute or two before it expires', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const mine = passes();
    answers = [passUntil(OPENS_AT_MS + LIFE_MS), passUntil(OPENS_AT_MS + 2 * LIFE_MS)];
    nowMs = OPENS_AT_MS;
    mine.follow(SALE);
    await quiet();
    nowMs = OPENS_AT_MS + LIFE_MS - 60_001;
    mine.follow(SALE);
    await quiet();
    expect(calls).toHaveLength(1);
    nowMs += 1;
    mine.follow(SALE);
    await quiet();
    expect(await mine.take()).toEqual({ pass: `pass-${OPENS_AT_MS + 2 * LIFE_MS}` });
    expect(calls).toHaveLength(2);
  });

  test('later after a failure, as the API says', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const mine = passes();
    nowMs = OPENS_AT_MS;
    mine.follow(SALE);
    await quiet();
    nowMs += 4_999;
    mine.follow(SALE);
    await quiet();
    expect([calls.length, mine.state]).toEqual([1, 'none']);
    nowMs += 1;
    mine.follow(SALE);
    await quiet();
    expect(calls).toHaveLength(2);
  });
});

describe('a click', () => {
  test('takes the pass that is there, and waits for one on its way', async () => {
    const mine = passes();
    nowMs = OPENS_AT_MS;
    answers = [passUntil(OPENS_AT_MS + LIFE_MS)];
    mine.follow(SALE);
    expect(await mine.take()).toEqual({ pass: `pass-${OPENS_AT_MS + LIFE_MS}` });
    expect(await mine.take()).toEqual({ pass: `pass-${OPENS_AT_MS + LIFE_MS}` });
    expect(calls).toHaveLength(1);
  });

  test('asks for another one when it has expired or was refused', async () => {
    const mine = passes();
    nowMs = OPENS_AT_MS;
    answers = [1, 2, 3].map(i => passUntil(OPENS_AT_MS + i * LIFE_MS));
    await mine.take();
    nowMs = OPENS_AT_MS + LIFE_MS;
    expect(await mine.take()).toEqual({ pass: `pass-${OPENS_AT_MS + 2 * LIFE_MS}` });
    mine.drop();
    expect(await mine.take()).toEqual({ pass: `pass-${OPENS_AT_MS + 3 * LIFE_MS}` });
  });

  test('gets what the API answers instead', async () => {
    const mine = passes();
    answers = [{ status: 410, code: 'sale_closed' }];
    expect(await mine.take()).toMatchObject({ failure: { status: 410, code: 'sale_closed' } });
  });

  test('sends the solution of a challenge', async () => {
    const mine = passes();
    answers = [{ challenge: { parameters: {} } }, passUntil(OPENS_AT_MS)];
    expect(await mine.take()).toEqual({ pass: `pass-${OPENS_AT_MS}` });
    expect(calls).toEqual(['/pass/x', '/pass/x {"solution":"solved"}']);
  });

  test('learns that the browser could not solve it', async () => {
    answers = [{ challenge: { parameters: {} } }];
    expect(await passes(async () => undefined).take()).toMatchObject({ failure: { ok: false, code: 'no_pass' } });
  });
});

test('a guest becomes a buyer for the pass, once; a visitor who has to sign in is not asked for again', async () => {
  jest.spyOn(Math, 'random').mockReturnValue(0);
  const mine = passes();
  nowMs = OPENS_AT_MS;
  answers = [{ status: 401 }, { status: 404 }];
  mine.follow(SALE);
  await quiet();
  expect(calls).toEqual(['/pass/x', '/guest-token']);
  nowMs += LIFE_MS;
  mine.follow(SALE);
  await quiet();
  expect(calls).toHaveLength(2);
});

import { describe, expect, jest, test } from '@jest/globals';
import { type Challenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { passKey, signPass } from '#core/identity/pass.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readRunId } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { type Answer, bearer, SECRET, useApi } from '../../support/http/api.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aSale } from '../../support/sales.js';

const OTHER = 'the next secret of thirty-two characters!';
const MINUTE_MS = 60_000;
const WORK = 10;

const MANY = { burst: 1_000, perSecond: 1_000 };
/** The most requests for a pass, which no test but that of the limit reaches. */
const PASSES = { burst: 100, perSecond: 0.5 };

const api = useApi({
  figures: { clicks: MANY, polls: MANY, waits: MANY, orders: MANY, passes: PASSES },
  AUTH_SECRET_OTHER: OTHER,
});

/** Opens a sale that needs passes. */
const open = (wanted: Partial<Sale> = {}) => api.open({ needsPass: true, ...wanted });

function click(sale: Sale, buyerId: string, pass?: string): Promise<Answer> {
  const headers = { ...bearer(buyerId), ...(pass === undefined ? {} : { 'dropline-pass': pass }) };
  return api.send(`/buy/${sale.id}`, { method: 'POST', headers });
}

const ask = (sale: Pick<Sale, 'id'>, buyerId: string, body?: string) =>
  api.send(`/pass/${sale.id}`, { method: 'POST', headers: bearer(buyerId), ...(body === undefined ? {} : { body }) });

async function passOf(sale: Sale, buyerId: string): Promise<string> {
  return String((await ask(sale, buyerId)).body.pass);
}

async function solutionOf(challenge: unknown): Promise<string> {
  const solution = await solveChallenge({ challenge: challenge as Challenge, deriveKey });
  return Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');
}

/** A pass that the API's own key signs. */
const signed = (sale: Sale, buyerId: string, times: { notBeforeMs: number; expiresAtMs: number }, secret = SECRET) =>
  signPass(passKey(secret), { saleId: sale.id, buyerId, ...times });

const now = () => ({ notBeforeMs: Date.now() - MINUTE_MS, expiresAtMs: Date.now() + MINUTE_MS });

describe('POST /buy/:saleId in a sale that needs passes', () => {
  test('with the pass of its buyer a click wins, and so does a repeat see the same claim', async () => {
    const sale = await open();
    const pass = await passOf(sale, 'ann');
    const first = await click(sale, 'ann', pass);
    expect(first).toMatchObject({ status: 202, body: { status: 'queued', unit: 1 } });
    expect(await click(sale, 'ann', pass)).toMatchObject({ status: 200, body: { claimId: first.body.claimId } });
  });

  test('every click without a good pass is refused, and touches nothing', async () => {
    const sale = await open();
    const bob = await passOf(sale, 'bob');
    const elsewhere = await passOf(await open(), 'ann');
    const past = { notBeforeMs: 0, expiresAtMs: Date.now() - MINUTE_MS };
    const ahead = { notBeforeMs: Date.now() + MINUTE_MS, expiresAtMs: Date.now() + 2 * MINUTE_MS };
    const codes: [string | undefined, string][] = [
      [undefined, 'pass_required'],
      ['', 'bad_pass'],
      ['x', 'bad_pass'],
      [bob, 'bad_pass'],
      [elsewhere, 'bad_pass'],
      [signed(sale, 'ann', now(), 'a secret that nobody here has, 32 characters'), 'bad_pass'],
      [signed(sale, 'ann', past), 'pass_expired'],
      [signed(sale, 'ann', ahead), 'pass_early'],
    ];
    for (const [pass, code] of codes) {
      expect(await click(sale, 'ann', pass)).toMatchObject({ status: 403, body: { code } });
    }
    expect((await click(sale, 'ann', signed(sale, 'ann', ahead))).headers.get('retry-after')).toMatch(/^5[4-6]$/);
    expect(await readSnapshot(api.redis, sale.id)).toMatchObject({ stock: [1, 2, 3], claims: {} });
  });

  test('a refused click costs no call of Redis, and is counted', async () => {
    const sale = await open();
    await click(sale, 'ann');
    const calls = [jest.spyOn(api.ctx.claims, 'ask'), jest.spyOn(api.ctx.sales, 'find')];
    await Promise.all(Array.from({ length: 50 }, () => click(sale, 'ann', 'x')));
    for (const call of calls) expect(call).not.toHaveBeenCalled();
    for (const call of calls) call.mockRestore();
  });

  test('the holder of a claim reads its status without a pass', async () => {
    const sale = await open();
    const { body } = await click(sale, 'ann', await passOf(sale, 'ann'));
    expect(await api.get(`/order-status/${sale.id}`, 'ann')).toMatchObject({ body: { claimId: body.claimId } });
    expect(await click(sale, 'ann')).toMatchObject({ body: { code: 'pass_required' } });
  });

  test('joining a draw needs a pass, too', async () => {
    const opensAtMs = Date.now() + MINUTE_MS;
    const sale = aSale({ needsPass: true, opening: 'draw', joinsAtMs: Date.now() - MINUTE_MS, opensAtMs });
    await openSale(api.redis, sale, {
      line: { draw: 'joining', saltKey: '00'.repeat(32), entered: 0, entrySeq: 0, entryChanges: 0, standbySeq: 0 },
    });
    expect(await click(sale, 'ann')).toMatchObject({ status: 403, body: { code: 'pass_required' } });
    expect(await click(sale, 'ann', await passOf(sale, 'ann'))).toMatchObject({
      status: 202,
      body: { status: 'joined' },
    });
  });

  test('standby needs a pass, too', async () => {
    const sale = await open({ units: 1, standbyFactor: 2 });
    await click(sale, 'ann', await passOf(sale, 'ann'));
    expect(await click(sale, 'bob')).toMatchObject({ status: 403, body: { code: 'pass_required' } });
    expect(await click(sale, 'bob', await passOf(sale, 'bob'))).toMatchObject({ body: { status: 'standby' } });
  });

  test('a pass by the other secret is good while the secrets are rotated', async () => {
    const sale = await open();
    expect(await click(sale, 'ann', signed(sale, 'ann', now(), OTHER))).toMatchObject({ status: 202 });
  });

  test('in a sale that this process does not know yet, the first click is not let in without a pass', async () => {
    const sale = await open();
    const answers = await Promise.all(Array.from({ length: 20 }, () => click(sale, 'ann')));
    for (const answer of answers) expect(answer).toMatchObject({ status: 403, body: { code: 'pass_required' } });
    expect(await readSnapshot(api.redis, sale.id)).toMatchObject({ claims: {} });
  });

  test('a sale that does not exist is unknown, and one of which Redis knows too little gives out nothing', async () => {
    const sale = { ...(await open()), id: 'no-such-sale' };
    expect(await click(sale, 'ann')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    await markRegistryWhole(api.redis, await readRunId(api.redis));
    api.ctx.sales.forget();
    expect(await click(sale, 'ann')).toMatchObject({ status: 404, body: { code: 'unknown_sale' } });
    expect(await ask(sale, 'ann')).toMatchObject({ status: 404, body: { code: 'unknown_sale' } });
  });
});

describe('POST /pass/:saleId', () => {
  test('without work: the pass and its times, for nobody to keep', async () => {
    const closesAtMs = Date.now() + 60 * MINUTE_MS;
    const sale = await open({ closesAtMs });
    const { status, body, headers } = await ask(sale, 'ann');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      pass: expect.any(String),
      notBefore: new Date(sale.opensAtMs).toISOString(),
      expires: expect.any(String),
    });
    const lastsMs = Date.parse(String(body.expires)) - Date.now();
    expect(lastsMs).toBeGreaterThan(9 * MINUTE_MS);
    expect(lastsMs).toBeLessThanOrEqual(10 * MINUTE_MS + 1_000);
  });

  test('a pass ends with its sale', async () => {
    const closesAtMs = Date.now() + 3 * MINUTE_MS;
    const { body } = await ask(await open({ closesAtMs }), 'ann');
    expect(Date.parse(String(body.expires))).toBe(closesAtMs);
  });

  test.each([
    ['rush', undefined],
    ['draw', 90_000],
  ] as const)('%s: two minutes before a pass is of use buyers get it, and not earlier', async (opening, joinsInMs) => {
    const times = (inMs: number) => {
      const at = Date.now() + inMs;
      const opensAtMs = opening === 'rush' ? at : at + MINUTE_MS;
      return { opening, opensAtMs, ...(joinsInMs === undefined ? {} : { joinsAtMs: at }) };
    };
    const early = await ask(await open(times(125_000)), 'ann');
    expect(early).toMatchObject({ status: 403, body: { code: 'pass_too_early' } });
    expect(early.headers.get('retry-after')).toMatch(/^[4-6]$/);
    const sale = await open(times(115_000));
    const { body } = await ask(sale, 'ann');
    expect(Date.parse(String(body.notBefore))).toBe(sale.joinsAtMs ?? sale.opensAtMs);
    expect(Date.parse(String(body.expires))).toBe(Date.parse(String(body.notBefore)) + 10 * MINUTE_MS);
    expect(await click(sale, 'ann', String(body.pass))).toMatchObject({ status: 403, body: { code: 'pass_early' } });
  });

  test('a sale that needs no pass, one that is over, and one that is unknown give none', async () => {
    expect(await ask(await api.open(), 'ann')).toMatchObject({ status: 404, body: { code: 'no_pass_needed' } });
    expect(await ask(await open({ state: 'closed' }), 'ann')).toMatchObject({ body: { code: 'sale_closed' } });
    const over = await open({ closesAtMs: Date.now() - 1_000 });
    expect(await ask(over, 'ann')).toMatchObject({ status: 410, body: { code: 'sale_closed' } });
    expect(await ask({ id: 'no/such' }, 'ann')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await ask({ id: 'ü' }, 'ann')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('a stranger, another method and a buyer beyond the limit are refused', async () => {
    const sale = await open();
    expect(await api.post(`/pass/${sale.id}`)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    const wrong = await api.get(`/pass/${sale.id}`, 'ann');
    expect(wrong).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(wrong.headers.get('allow')).toBe('POST');
    const answers = await Promise.all(Array.from({ length: PASSES.burst + 10 }, () => ask(sale, 'greedy')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(PASSES.burst);
    expect(answers.find(({ status }) => status === 429)?.body).toMatchObject({ code: 'too_many_requests' });
  });

  test('with work: a challenge, and the pass for its solution, which may be shown again', async () => {
    const sale = await open({ passWork: WORK });
    const { status, body } = await ask(sale, 'ann');
    expect(status).toBe(200);
    expect(body).toEqual({ challenge: { parameters: expect.any(Object), signature: expect.any(String) } });
    const solution = await solutionOf(body.challenge);
    for (const _ of ['first', 'again']) {
      const { body } = await ask(sale, 'ann', JSON.stringify({ solution }));
      expect(await click(sale, 'ann', String(body.pass))).toMatchObject({ body: { unit: 1 } });
    }
  });

  test('a solution for another buyer, another sale or an easier challenge gives no pass', async () => {
    const [sale, easy] = [await open({ passWork: WORK }), await open({ passWork: 1 })];
    const solution = await solutionOf((await ask(sale, 'ann')).body.challenge);
    const cheap = await solutionOf((await ask(easy, 'ann')).body.challenge);
    const tries = [
      await ask(sale, 'bob', JSON.stringify({ solution })),
      await ask(easy, 'ann', JSON.stringify({ solution })),
      await ask(sale, 'ann', JSON.stringify({ solution: cheap })),
      await ask(sale, 'ann', JSON.stringify({ solution: '' })),
    ];
    for (const answer of tries) expect(answer).toMatchObject({ status: 403, body: { code: 'bad_solution' } });
  });

  test.each(['{', '[]', '"x"', '{"solution":1}'])('the body %p is malformed', async body => {
    const sale = await open({ passWork: WORK });
    expect(await ask(sale, 'ben', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('a body above 1,024 bytes is refused', async () => {
    const sale = await open({ passWork: WORK });
    const body = JSON.stringify({ solution: 'x'.repeat(1_024) });
    expect(await ask(sale, 'cem', body)).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test('while the process is busy, a challenge asks for more work, up to four times', async () => {
    const sale = await open({ passWork: WORK });
    const triesAt = async (slowdown: number) => {
      const measured = jest.spyOn(api.ctx.load, 'slowdown', 'get').mockReturnValue(slowdown);
      const { challenge } = (await ask(sale, 'dora')).body as { challenge: Challenge };
      measured.mockRestore();
      return challenge.parameters.data?.tries;
    };
    expect([await triesAt(1), await triesAt(2), await triesAt(16)]).toEqual([WORK, 2 * WORK, 4 * WORK]);
  });
});

test('a sale says whether it needs a pass, and from when there are some', async () => {
  const sale = await open();
  expect((await api.get(`/sales/${sale.id}`)).body).toMatchObject({
    needsPass: true,
    passesFrom: new Date(sale.opensAtMs - 2 * MINUTE_MS).toISOString(),
  });
  const { body } = await api.get(`/sales/${(await api.open()).id}`);
  expect(body).toMatchObject({ needsPass: false });
  expect(body).not.toHaveProperty('passesFrom');
});
